package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// order is what the tests read of an order.
type order struct {
	ID, Market, State, Error string
	Item                     struct{ Game, Name, Phase string }
	MarketName               string `json:"market_name"`
	MarketRef                string `json:"market_ref"`
	Paid                     string
	History                  []struct{ State, Note string }
}

// took tells whether the market has taken our money for it.
func (o order) took() bool {
	switch o.State {
	case "placed", "delivering", "delivered", "settled", "failed", "penalized", "rolled_back":
		return true
	}
	return false
}

type feed struct{ Market, State, Reason string }

type trading struct{ State, Reason, Role string }

// orders gives all orders in some states, over all pages.
func (p *process) orders(t *testing.T, states string) []order {
	t.Helper()
	var all []order
	cursor := ""
	for {
		var page struct {
			Orders     []order
			NextCursor string `json:"next_cursor"`
		}
		p.get(t, "/v1/orders?limit=500&state="+states+"&cursor="+cursor, &page)
		all = append(all, page.Orders...)
		if cursor = page.NextCursor; cursor == "" {
			return all
		}
	}
}

func (p *process) opportunities(t *testing.T) int {
	t.Helper()
	var got struct{ Opportunities []json.RawMessage }
	p.get(t, "/v1/opportunities", &got)
	return len(got.Opportunities)
}

// wantVerdict fails unless a rule says so of some item.
func (p *process) wantVerdict(t *testing.T, rule string, pass bool) {
	t.Helper()
	var found struct{ Items []struct{ Name string } }
	p.get(t, "/v1/items?limit=1&q=factory", &found)
	if len(found.Items) == 0 {
		t.Fatal("got no item, want one")
	}
	var got struct {
		Verdicts []struct {
			Rule   string
			Pass   bool
			Detail string
		}
	}
	p.get(t, "/v1/verdicts?name="+url.QueryEscape(found.Items[0].Name), &got)
	said := false
	for _, v := range got.Verdicts {
		if v.Rule != rule {
			continue
		}
		said = true
		if v.Pass != pass {
			t.Errorf("got %s pass %t (%s), want %t", rule, v.Pass, v.Detail, pass)
		}
	}
	if !said {
		t.Errorf("got no verdict %s in %+v", rule, got.Verdicts)
	}
}

// waitFeed waits for a state of a market's feed and gives its reason.
func (p *process) waitFeed(t *testing.T, market, state string) (reason string) {
	t.Helper()
	eventually(t, market+" to be "+state, func() (bool, string) {
		var got struct{ Feeds []feed }
		p.get(t, "/v1/feeds", &got)
		for _, f := range got.Feeds {
			if f.Market == market && f.State == state {
				reason = f.Reason
				return true, ""
			}
		}
		return false, fmt.Sprintf("%+v", got.Feeds)
	})
	return reason
}

// situation is what a trader that does not do what was expected says of itself.
func (p *process) situation(t *testing.T) string {
	t.Helper()
	if p.base == "" {
		p.waitAddress(t)
	}
	var text strings.Builder
	for _, path := range []string{"/v1/trading", "/v1/feeds", "/v1/opportunities?limit=3"} {
		var got json.RawMessage
		p.get(t, path, &got)
		fmt.Fprintf(&text, "%s: %s\n", path, got)
	}
	return text.String()
}
