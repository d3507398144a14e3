package sih

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quoteLen is how much of an unexpected body an error shows, in bytes.
const quoteLen = 200

// secrets are what no error may show, whatever a server sends back.
type secrets struct {
	all     []string // longest first, so that none is left of one that holds another
	replace *strings.Replacer
}

// leastSecret is the length below which nothing is a secret, in bytes: to hide
// it would spoil every text.
const leastSecret = 4

// newSecrets leaves out what is too short to be one.
func newSecrets(all ...string) secrets {
	all = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return len(s) < leastSecret })
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range all {
		pairs = append(pairs, s, "[secret]")
	}
	return secrets{all, strings.NewReplacer(pairs...)}
}

// longest is the length of the longest secret, in bytes.
func (s secrets) longest() int {
	if len(s.all) == 0 {
		return 0
	}
	return len(s.all[0])
}

// hiding gives a client for one call that has more secrets.
func (c *Client) hiding(more ...string) *Client {
	hiding := *c
	hiding.hidden = newSecrets(append(more, c.hidden.all...)...)
	return &hiding
}

// quote shows the beginning of a body in an error, without secrets.
func (c *Client) quote(head []byte) string {
	return fmt.Sprintf("%q", c.clean(string(head)))
}

// clean makes a market's text fit to be shown: no secrets, no control
// characters, no more than quoteLen bytes. Secrets go first, because one that
// straddles the end would otherwise be shown in part.
func (c *Client) clean(s string) string {
	s = c.hidden.replace.Replace(s)
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= quoteLen {
		return s
	}
	cut := quoteLen
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// keep is how many bytes of a body quote needs: a secret that begins before
// the cut must be there whole to be found.
func (c *Client) keep() int { return quoteLen + c.hidden.longest() }
