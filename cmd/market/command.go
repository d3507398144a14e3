package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"skinarb/pricing"
)

// command is one entry of the table: what one method of a market's API looks
// like on a command line.
type command struct {
	market pricing.Market
	name   string
	does   string // a sentence for the lists
	more   string // what else to know, for the command's own help; may be empty
	method string // of the API

	args    string // as help writes them; empty for none
	least   int    // how many of them are needed
	most    int    // and possible
	arg     func(in *input, value string) error
	options []option
	// check tells what arguments and options that are right by themselves cannot
	// be together; nil for most.
	check func(in *input) error

	columns []string // of the answer; also the names of its fields in JSON
	brief   []string // those that a table shows of several rows; nil means all
	single  bool     // the answer is one thing, not a list
	live    bool     // rows are written as they come, and nobody knows how many will
	longest []string // of a live command: the longest known value of each column

	needsTradeURL bool
	needsWebhook  bool // SIH_WEBHOOK_SECRET
	needsSocket   bool // SKINSBACK_WS_URL
	// gives is what the command gives away, which it does not do unasked; empty
	// for most.
	gives string
	// lookup is the command that tells what became of a change whose answer was
	// lost. Empty: this command changes nothing.
	lookup string

	run func(ctx context.Context, s *session) error
}

// commands is the table.
var commands = slices.Concat(skinsbackCommands, sihCommands)

// path gives the words that call c; without a command, those of the program.
func (c *command) path() string {
	if c == nil {
		return "market"
	}
	return fmt.Sprintf("market %s %s", c.market, c.name)
}

// usage gives path and the arguments.
func (c *command) usage() string { return strings.TrimSpace(c.path() + " " + c.args) }

// find gives the command that the first two words name.
func find(words []string) (*command, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("say which market, skinsback or sih, and what to do, such as: market skinsback balance")
	}
	market, err := pricing.ParseMarket(words[0])
	if err != nil {
		return nil, err
	}
	if len(words) == 1 {
		return nil, fmt.Errorf("say what to do at %s: one of %s", market, strings.Join(names(market), ", "))
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.market == market && c.name == words[1] })
	switch {
	case i >= 0:
		return &commands[i], nil
	case slices.Contains([]string{"buy", "market_buy", "batch-buy", "market_batch_buy", "create-order"}, words[1]):
		return nil, fmt.Errorf("%s: purchases are the trader's alone: it holds them to their limits and writes them down before they leave", words[1])
	}
	return nil, fmt.Errorf("%s has no command %q: it is one of %s", market, words[1], strings.Join(names(market), ", "))
}

// names lists the commands of a market.
func names(m pricing.Market) []string {
	var all []string
	for _, c := range commands {
		if c.market == m {
			all = append(all, c.name)
		}
	}
	return all
}
