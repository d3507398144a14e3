package sih

import (
	"encoding/json"

	"skinarb/execution"
)

// Bounds of a webhook.
const (
	maxWebhook      = 1 << 20 // bytes
	maxWebhookHints = 32
	maxWebhookDepth = 3 // of objects around an order
	maxClue         = 64
)

// Webhook gives the orders that a webhook speaks of. What SIH sends, and whether
// it is signed, is not documented: an order may be the body itself, or stand
// under order or data, alone or in a list. So nothing of it is believed but that
// these orders are worth a look. A body that cannot be read speaks of none.
func Webhook(body []byte) []execution.Hint {
	if len(body) > maxWebhook {
		return nil
	}
	return readHints(body, maxWebhookDepth, nil)
}

// readHints appends the hints of a JSON value. What stands around an order may
// have an id of its own, so the innermost ids count.
func readHints(b json.RawMessage, depth int, hints []execution.Hint) []execution.Hint {
	if depth == 0 || len(hints) == maxWebhookHints {
		return hints
	}
	var several []json.RawMessage
	if json.Unmarshal(b, &several) == nil {
		for _, one := range several[:min(len(several), maxWebhookHints)] {
			hints = readHints(one, depth-1, hints)
		}
		return hints
	}
	var w struct {
		Order   json.RawMessage `json:"order"`
		Orders  json.RawMessage `json:"orders"`
		Data    json.RawMessage `json:"data"`
		ID      clue            `json:"id"`
		OrderID clue            `json:"orderId"`
		Custom  clue            `json:"customId"`
		Snake   clue            `json:"custom_id"`
	}
	if json.Unmarshal(b, &w) != nil {
		return hints
	}
	before := len(hints)
	for _, inner := range []json.RawMessage{w.Order, w.Orders, w.Data} {
		hints = readHints(inner, depth-1, hints)
	}
	h := execution.Hint{ID: execution.OrderID(first(w.Custom, w.Snake)), MarketRef: string(first(w.OrderID, w.ID))}
	if len(hints) == before && h != (execution.Hint{}) {
		hints = append(hints, h)
	}
	return hints
}

func first(a, b clue) clue {
	if a != "" {
		return a
	}
	return b
}

// clue is an identifier of ours or SIH's. One of another shape, with characters
// that no identifier has, or too long is as good as missing.
type clue string

func (c *clue) UnmarshalJSON(b []byte) error {
	var t text
	if t.UnmarshalJSON(b) != nil || len(t) > maxClue {
		return nil
	}
	for i := range len(t) {
		if t[i] <= ' ' || t[i] > '~' {
			return nil
		}
	}
	*c = clue(t)
	return nil
}
