package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// explain says what went wrong, what that means, and what to do about it.
func explain(ctx context.Context, c *command, err error) string {
	if ctx.Err() != nil && c.lookup == "" {
		return "interrupted"
	}
	text := printable(strings.ReplaceAll(err.Error(), "\n", "; "))
	for _, advice := range []string{outcome(c, err), accountAdvice(c.market, err)} {
		if advice != "" {
			text += "\n" + advice
		}
	}
	return text
}

// outcome says what the error means for what was asked.
func outcome(c *command, err error) string {
	var rejected *execution.RejectedError
	var later *execution.RetryLaterError
	var pause *fetch.PauseError
	var budget *budgetError
	var network *net.OpError
	var partly *partlyError
	var unsent *unsentError
	switch {
	case errors.Is(err, errDeclined), errors.As(err, &partly):
		return ""
	case errors.As(err, &unsent):
		return "Nothing was changed."
	case errors.As(err, &rejected):
		return "Nothing was changed."
	case errors.As(err, &later) && !strings.Contains(err.Error(), later.Error()):
		return fmt.Sprintf("Nothing happened; try again in %s.", later.After)
	case errors.As(err, &later), errors.As(err, &pause):
		return "" // the error says when to try again
	case errors.Is(err, execution.ErrNotFound) && c.takes(ours.name):
		return "Look at the ID again. If it is ours and not the market's, say --custom."
	case errors.Is(err, execution.ErrNotFound):
		return "Look at the ID again."
	case c.lookup != "":
		return fmt.Sprintf("Whether it happened is not known. Before it is sent again, look: %s", c.lookup)
	case errors.As(err, &budget):
		return "" // accountAdvice has it
	case errors.Is(err, context.DeadlineExceeded):
		return "The market took too long to answer: try again later."
	case errors.As(err, &network):
		return fmt.Sprintf("No answer came: look at the network, and at %s_URL.", strings.ToUpper(string(c.market)))
	}
	return ""
}

// accountWords are SkinsBack's words for trouble with an account, and what to do.
// https://skinsback.com/docs/api/v1/main
var accountWords = map[string]string{
	"invalid_shopid":     "Compare SKINSBACK_CLIENT_ID with the settings of the project at SkinsBack.",
	"invalid_signature":  "Compare SKINSBACK_CLIENT_SECRET with the settings of the project at SkinsBack.",
	"shop_not_active":    "The project is not active: SkinsBack's support activates it.",
	"invalid_ip_address": "The project has a list of addresses that may use it, and this machine's is not on it.",
	"market_disabled":    "The project may not use the market: ask SkinsBack's support.",
}

// accountAdvice says what to do where the account, or its budget, is the trouble.
func accountAdvice(m pricing.Market, err error) string {
	var sb *skinsback.APIError
	var word *execution.RejectedError
	var s *sih.APIError
	var budget *budgetError
	switch {
	case errors.As(err, &budget):
		return fmt.Sprintf("The budget of %d requests a minute at %s is used up: try again in a minute, or raise %s_RATE_PER_MINUTE if the account may do more.", budget.perMinute, budget.market, strings.ToUpper(string(budget.market)))
	case errors.As(err, &sb) && accountWords[sb.Message] != "":
		return accountWords[sb.Message]
	case errors.As(err, &s) && (s.Status == http.StatusUnauthorized || s.Status == http.StatusForbidden):
		return "Compare SIH_API_KEY with the settings of the project at SIH Market."
	case errors.As(err, &word) && word.Account:
		return fmt.Sprintf("It is about the account at %s, so that any other request of the kind would be refused, too.", m)
	}
	return ""
}

// partlyError is a change of which the market made a part.
type partlyError struct {
	left, all int
	reasons   []string
}

func (e *partlyError) Error() string {
	text := fmt.Sprintf("%d of %d were left out", e.left, e.all)
	if len(e.reasons) > 0 {
		text += ": " + strings.Join(e.reasons, "; ")
	}
	return text
}

// unsentError is what kept a change from being sent at all.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// budgetError is a permit that there would not be in time.
type budgetError struct {
	market    pricing.Market
	perMinute int
	err       error
}

func (e *budgetError) Error() string { return e.err.Error() }
func (e *budgetError) Unwrap() error { return e.err }
