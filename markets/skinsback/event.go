package skinsback

import "encoding/json"

// Event is what SkinsBack says by itself, over the socket or as a webhook. It
// tells where to look and proves nothing: an event may be late, lost, repeated
// or out of order. Fields that were not told, or cannot be read, are empty.
type Event struct {
	Kind     string // buy_item, status_change, balance_change, or one that is not documented
	CustomID string // ours
	BuyID    string
	Status   OfferStatus
}

// The events that a socket begins with.
const (
	authSuccess = "auth_success"
	authFailed  = "auth_failed"
)

// readEvent reads an event, and gives false for everything that is no JSON
// object with a member event. What stands in data is optional: the documented
// balance_change has the fields of a purchase, a real one has none of them.
// https://skinsback.com/docs/api/v1/api_event_webhook
func readEvent(b []byte) (Event, bool) {
	var frame struct {
		Event clue            `json:"event"`
		Data  json.RawMessage `json:"data"`
	}
	if json.Unmarshal(b, &frame) != nil || frame.Event == "" {
		return Event{}, false
	}
	var data struct {
		CustomID clue `json:"custom_id"`
		BuyID    clue `json:"buy_id"`
		Status   clue `json:"offer_status"`
	}
	if json.Unmarshal(frame.Data, &data) != nil {
		return Event{Kind: string(frame.Event)}, true
	}
	return Event{
		Kind:     string(frame.Event),
		CustomID: string(data.CustomID),
		BuyID:    string(data.BuyID),
		Status:   OfferStatus(data.Status),
	}, true
}

// maxClue bounds a field of an event, in bytes.
const maxClue = 64

// clue is a string or a number of an event. One of another shape, with
// characters that no identifier has, or too long is as good as missing.
type clue string

func (c *clue) UnmarshalJSON(b []byte) error {
	var t text
	if t.UnmarshalJSON(b) == nil && len(t) <= maxClue && headerValue(string(t)) {
		*c = clue(t)
	}
	return nil
}
