package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// input is what a command was told, checked.
type input struct {
	now   time.Time
	args  []string
	given map[string]string // every option of the command, in force; "" for none

	game         pricing.Game
	since, until time.Time // since is zero for "all"
	limit        int       // 0 means all
	lasts        time.Duration
	worths       [2]pricing.Money
	multiplier   decimal.Decimal
	rate         decimal.Decimal
	types        []int
	orders       []int64
	assets       []string // each once
	sales        []sale
}

// on tells whether a switch was given.
func (in *input) on(name string) bool { return in.given[name] == "true" }

// option is a flag of some commands. Options are no settings: they are neither
// in the environment nor in a file, so that nothing forgotten there can send
// anything.
type option struct {
	name  string
	value string // what stands for its value in help; empty for a switch
	def   string
	help  string
	parse func(in *input, value string) error // nil takes any text; never called with ""
}

var (
	asJSON = option{name: "json", help: "JSON for machines: amounts are text, times RFC 3339 in UTC, null what the market did not tell."}
	yes    = option{name: "yes", help: "Send it without asking."}

	inGame = option{"game", "GAME", "cs2", "cs2, rust, dota2 or tf2.", func(in *input, v string) (err error) { in.game, err = pricing.ParseGame(v); return err }}
	// atSIH is inGame for a market that does not sell everything.
	atSIH = option{"game", "GAME", "cs2", "cs2, rust or tf2.", func(in *input, v string) (err error) {
		if in.game, err = pricing.ParseGame(v); err == nil && !slices.Contains(new(sih.Client).Games(), in.game) {
			err = errors.New("SIH Market sells nothing of it")
		}
		return err
	}}
	byState = option{name: "state", value: "STATE", help: "Only those in this state, in the market's own word."}
	since   = option{"since", "TIME", "30d", "Only what is younger: a span such as 12h or 7d, a day such as 2026-11-01, an exact time such as 2026-11-01T09:00:00Z, or all.", func(in *input, v string) (err error) {
		if v != "all" {
			in.since, err = parseTime(v, in.now)
		}
		return err
	}}
	until  = option{"until", "TIME", "0s", "Only what is older, written like --since.", func(in *input, v string) (err error) { in.until, err = parseTime(v, in.now); return err }}
	byName = option{name: "name", value: "WORDS", help: "Only names with all of these words in them, upper or lower case."}
	upTo   = option{"limit", "N", "50", "Show this many rows at most, 0 for all of them. JSON has all unless this is said.", func(in *input, v string) (err error) {
		if in.limit, err = strconv.Atoi(v); err != nil || in.limit < 0 {
			return errors.New("it is a whole number from 0")
		}
		return nil
	}}
	forTime = option{"for", "SPAN", "", "End after this time, such as 10m; without it, at Ctrl-C.", func(in *input, v string) (err error) {
		if in.lasts, err = time.ParseDuration(v); err != nil || in.lasts <= 0 {
			return errors.New("it is a span such as 90s or 10m")
		}
		return nil
	}}
	ours = option{name: "custom", help: "The IDs are ours (custom ID), not the market's."}
)

// text is an option that the market judges.
func text(name, value, help string) option { return option{name: name, value: value, help: help} }

// worth is an option with an amount of dollars, kept in worths[i].
func worth(i int, name, help string) option {
	return option{name, "USD", "", help, func(in *input, v string) (err error) {
		in.worths[i], err = pricing.ParseMoney(v)
		if err != nil || in.worths[i] <= 0 {
			return errors.New("it is an amount of US dollars, such as 25.50")
		}
		return nil
	}}
}

// number is an option with a decimal above 0, kept where to says. A most of 0 is
// no bound.
func number(name, help string, least, most decimal.Decimal, to func(*input) *decimal.Decimal) option {
	want := fmt.Sprintf("it is a plain number of at least %s", least)
	if most.IsPositive() {
		want = fmt.Sprintf("it is a plain number from %s to %s", least, most)
	}
	return option{name, "N", "", help, func(in *input, v string) (err error) {
		if len(v) <= 12 && !strings.ContainsAny(v, "eE") {
			*to(in), err = decimal.NewFromString(v)
		}
		if n := to(in); err != nil || n.LessThan(least) || most.IsPositive() && n.GreaterThan(most) {
			return errors.New(want)
		}
		return nil
	}}
}

// parseTime reads a time, or how long before now one was. A day begins at
// midnight UTC, as the markets' days do.
func parseTime(v string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36500 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(v); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("it is a span such as 12h or 7d, a day such as 2026-11-01, or a time such as 2026-11-01T09:00:00Z")
}

// allOptions gives the options of a command, those of every command among them.
func (c *command) allOptions() []option {
	all := slices.Clone(c.options)
	if c.gives != "" {
		all = append(all, yes)
	}
	return append(all, asJSON)
}

// takes tells whether a command has an option.
func (c *command) takes(name string) bool {
	return slices.ContainsFunc(c.allOptions(), func(o option) bool { return o.name == name })
}

// options gives every option of any command, once.
func options() []option {
	var all []option
	for _, c := range commands {
		for _, o := range c.allOptions() {
			if !slices.ContainsFunc(all, func(known option) bool { return known.name == o.name }) {
				all = append(all, o)
			}
		}
	}
	return all
}

// findOption gives an option by its name, or nil.
func findOption(name string) *option {
	for _, o := range options() {
		if o.name == name {
			return &o
		}
	}
	return nil
}

// What arguments may be.

func steamID(_ *input, v string) error {
	if len(v) != 17 || !strings.HasPrefix(v, "7656119") || !digits(v) {
		return errors.New("it is a SteamID64, 17 digits that begin with 7656119")
	}
	return nil
}

func assetID(_ *input, v string) error {
	if !digits(v) || len(v) > 20 {
		return errors.New("it is Steam's id of an item, which market skinsback inventory shows")
	}
	return nil
}

// assetOnce is assetID for items that are given away: none of them twice.
func assetOnce(in *input, v string) error {
	if err := assetID(in, v); err != nil {
		return err
	}
	if slices.Contains(in.assets, v) {
		return fmt.Errorf("item %s can be given away only once", v)
	}
	in.assets = append(in.assets, v)
	return nil
}

// depositID is an ID of ours for a deposit at SkinsBack.
func depositID(_ *input, v string) error {
	if !skinsback.ValidOrderID(v) {
		return errors.New("it is an ID of ours, up to 64 letters, digits, - and _")
	}
	return nil
}

// depositOfUser reads the arguments of a deposit, ORDER_ID STEAM_ID.
func depositOfUser(in *input, v string) error {
	if len(in.args) == 1 { // v is among them
		return depositID(in, v)
	}
	return steamID(in, v)
}

// leastAndMost tells whether there is anything between --min and --max.
func leastAndMost(in *input) error {
	if least, most := in.worths[0], in.worths[1]; most > 0 && least > most {
		return fmt.Errorf("--min: %s is more than --max, %s", least, most)
	}
	return nil
}

// ownCurrency tells whether a currency of our own is complete.
func ownCurrency(in *input) error {
	if (in.given["custom-currency"] != "") != (in.given["custom-rate"] != "") {
		return errors.New("--custom-currency and --custom-rate: neither goes without the other")
	}
	return nil
}

func atLeastThree(_ *input, v string) error {
	if len(v) < 3 {
		return errors.New("the market wants three characters at least")
	}
	return nil
}

// orderNumber reads SIH's id of an order, unless --custom says that it is ours.
func orderNumber(in *input, v string) error {
	if in.on(ours.name) {
		return nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n <= 0 {
		return errors.New("it is SIH's number of an order; ours need --custom")
	}
	in.orders = append(in.orders, n)
	return nil
}

// sale is an item and what it is put on sale for.
type sale struct {
	asset    string
	price    pricing.Money
	quantity int
}

// assetForPrice reads 40000000001=12.50, or 40000000001=0.05x20 for 20 of them.
func assetForPrice(in *input, v string) error {
	asset, price, ok := strings.Cut(v, "=")
	one := sale{asset: asset, quantity: 1}
	amount, quantity, several := strings.Cut(price, "x")
	var err error
	if several {
		one.quantity, err = strconv.Atoi(quantity)
	}
	if err == nil {
		one.price, err = pricing.ParseMoney(amount)
	}
	if !ok || err != nil || assetID(in, asset) != nil || one.quantity < 1 || one.price <= 0 || one.price != one.price.FloorCent() {
		return errors.New("it is an asset, what one of it is sold for in dollars and whole cents, and if they are several how many: 40000000001=12.50 or 40000000001=0.05x20")
	}
	in.sales = append(in.sales, one)
	return assetOnce(in, asset)
}

func digits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// oneOf makes the check of an option that takes one of some words.
func oneOf(words ...string) func(*input, string) error {
	return func(_ *input, v string) error {
		if !slices.Contains(words, v) {
			return fmt.Errorf("it is one of %s", strings.Join(words, ", "))
		}
		return nil
	}
}
