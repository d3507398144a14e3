package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"skinarb/internal/settings"
	"skinarb/pricing"
)

// about is what help begins with.
const about = `market shows and does, from a terminal, what the APIs of SkinsBack and SIH Market
can do. It answers with a table, or with --json for machines.`

// notHere says why something is missing.
const notHere = `Purchases are not here: market_buy, market_batch_buy and create-order are sent
by the trader alone, which holds them to limits, writes each down before it
leaves and looks up those whose answer was lost. What gives away items or safety
shows what will be sent and asks; without a terminal it needs --yes.`

// help writes the help for what the words name: a command, a market, or all.
func help(words []string, stdout, stderr io.Writer) int {
	switch c, err := find(words); {
	case err == nil:
		c.help(stdout)
	case len(words) == 0:
		programHelp(stdout)
	case len(words) == 1 && market(words[0]) != "":
		fmt.Fprintf(stdout, "%s\n\n%s\nmarket %s COMMAND --help explains one.\n", about, list(market(words[0])), words[0])
	default:
		fmt.Fprintln(stderr, "market:", err)
		return 2
	}
	return 0
}

// market gives the market of that name, or "".
func market(name string) pricing.Market {
	m, err := pricing.ParseMarket(name)
	if err != nil {
		return ""
	}
	return m
}

// programHelp is the help for everything: the commands, then the settings.
func programHelp(out io.Writer) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", about)
	for _, m := range pricing.Markets {
		fmt.Fprintf(&text, "%s\n", list(m))
	}
	fmt.Fprintf(&text, "market MARKET COMMAND --help explains one, its options and the fields of its answer.\n\n%s\n\n", notHere)
	text.WriteString("Exit status: 0 done, 1 refused or failed (the text says what to do), 2 mistakes in\nthe arguments or settings. Without accounts: go run ./cmd/marketsim prints settings\nof simulated markets.")

	// The settings' own help has the flags, and how they are written elsewhere.
	set := settings.New("market MARKET COMMAND [arguments]", text.String())
	new(config).declare(set)
	_ = set.Load([]string{"--help"}, func(string) (string, bool) { return "", false }, out) // always ErrDone
}

// list gives the commands of a market, a line each.
func list(m pricing.Market) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "market %s\n", m)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range commands {
		if c.market == m {
			fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.does)
		}
	}
	_ = w.Flush() // to memory
	return b.String()
}

// help explains one command.
func (c *command) help(out io.Writer) {
	fmt.Fprintf(out, "%s\n\nUsage: go run ./cmd/%s [options]\n", c.does, c.usage())
	if c.more != "" {
		fmt.Fprintf(out, "\n%s\n", wrap(c.more))
	}
	switch {
	case c.gives != "":
		fmt.Fprintf(out, "\n%s\n", wrap("It changes something: "+c.gives+". It shows what will be sent, and asks."))
	case c.lookup != "":
		fmt.Fprintf(out, "\nIt changes something at the market.\n")
	}
	fmt.Fprintf(out, "\nOptions:\n")
	for _, o := range c.allOptions() {
		fmt.Fprintf(out, "  --%s", strings.TrimSpace(o.name+" "+o.value))
		if o.def != "" {
			fmt.Fprintf(out, "  (default: %s)", o.def)
		}
		fmt.Fprintf(out, "\n        %s\n", strings.ReplaceAll(wrap(o.help), "\n", "\n        "))
	}
	fmt.Fprintf(out, "\n%s\n", wrap("Answer: "+strings.Join(c.columns, ", ")+"."))
	if c.brief != nil {
		fmt.Fprintf(out, "%s\n", wrap("A table of several rows has only "+strings.Join(c.brief, ", ")+"."))
	}
	fmt.Fprintf(out, "Amounts are US dollars where nothing else is said.\n\nAPI: %s\nSettings: market --help\n", c.method)
}

// wrap breaks text between words into lines that a terminal has room for.
func wrap(text string) string {
	var b strings.Builder
	width := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case width == 0:
		case width+1+len(word) > 72:
			b.WriteByte('\n')
			width = 0
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String()
}
