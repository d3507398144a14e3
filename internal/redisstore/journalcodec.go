package redisstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"skinarb/execution"
	"skinarb/pricing"
)

// An order is stored as two values, so that counting orders reads no histories.
// Each begins with two bytes, which of the two it is and the version of its
// format; what follows is written as in the bodies of codec.go.
const (
	formatOrder = 'o'
	formatSteps = 's'

	journalFormat = 2 // 1 had no buyers

	minStep = 5 // fewest bytes of a step: 1970, which takes two, and three empty strings
)

// errNewer is what a value gives that a newer program wrote.
var errNewer = errors.New("a newer program wrote it")

func encodeOrder(o execution.Order) []byte {
	b := []byte{formatOrder, journalFormat}
	b = appendString(b, string(o.ID))
	b = appendString(b, string(o.Market))
	b = appendString(b, string(o.Item.Game))
	b = appendString(b, o.Item.Name)
	b = appendString(b, string(o.Item.Phase))
	b = appendString(b, o.MarketName)
	b = binary.AppendVarint(b, int64(o.Ask))
	b = binary.AppendVarint(b, int64(o.Cost))
	b = binary.AppendUvarint(b, o.Since)
	b = appendString(b, string(o.SellOn))
	b = binary.AppendVarint(b, int64(o.Proceeds))
	b = appendTime(b, o.ExpiresAt)
	b = appendString(b, string(o.State))
	b = binary.AppendVarint(b, o.Rev)
	b = binary.AppendVarint(b, int64(o.Paid))
	b = binary.AppendVarint(b, int64(o.Refunded))
	b = appendBool(b, o.Booked)
	b = appendString(b, o.MarketRef)
	b = appendString(b, o.OfferID)
	b = appendString(b, o.Error)
	b = appendTime(b, o.CreatedAt)
	b = appendTime(b, o.UpdatedAt)
	b = appendTime(b, o.SentAt)
	b = appendTime(b, o.SpentAt)
	b = appendTime(b, o.DeliveredAt)
	b = appendString(b, o.Buyer.Ref)
	b = appendString(b, o.Buyer.To.Partner)
	b = appendString(b, o.Buyer.To.SteamID)
	return appendString(b, o.Buyer.To.Token)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func encodeSteps(steps []execution.Step) []byte {
	b := binary.AppendUvarint([]byte{formatSteps, journalFormat}, uint64(len(steps)))
	for _, s := range steps {
		b = appendTime(b, s.At)
		b = appendString(b, string(s.State))
		b = appendString(b, string(s.Event))
		b = appendString(b, s.Note)
	}
	return b
}

// decodeOrder gives an order without its history.
func decodeOrder(text string) (execution.Order, error) {
	d, err := openValue(formatOrder, text)
	if err != nil {
		return execution.Order{}, fmt.Errorf("decode an order: %w", err)
	}
	var o execution.Order
	o.ID = execution.OrderID(d.string())
	o.Market = pricing.Market(d.string())
	o.Item = pricing.Item{Game: pricing.Game(d.string()), Name: d.string(), Phase: pricing.Phase(d.string())}
	o.MarketName = d.string()
	o.Ask, o.Cost = pricing.Money(d.varint()), pricing.Money(d.varint())
	o.Since = d.uvarint()
	o.SellOn = pricing.Market(d.string())
	o.Proceeds = pricing.Money(d.varint())
	o.ExpiresAt = d.time()
	o.State = execution.State(d.string())
	o.Rev = d.varint()
	o.Paid, o.Refunded = pricing.Money(d.varint()), pricing.Money(d.varint())
	o.Booked = d.bool()
	o.MarketRef, o.OfferID, o.Error = d.string(), d.string(), d.string()
	o.CreatedAt, o.UpdatedAt = d.time(), d.time()
	o.SentAt, o.SpentAt, o.DeliveredAt = d.time(), d.time(), d.time()
	if text[1] > 1 {
		o.Buyer = execution.Buyer{Ref: d.string(), To: execution.Recipient{Partner: d.string(), SteamID: d.string(), Token: d.string()}}
	}
	if err := d.end(); err != nil {
		return execution.Order{}, fmt.Errorf("decode an order: %w", err)
	}
	if !slices.Contains(execution.States, o.State) {
		return execution.Order{}, fmt.Errorf("decode order %s: state %q is not known", o.ID, o.State)
	}
	return o, nil
}

func decodeSteps(text string) ([]execution.Step, error) {
	d, err := openValue(formatSteps, text)
	if err != nil {
		return nil, fmt.Errorf("decode a history: %w", err)
	}
	steps := make([]execution.Step, d.count(minStep))
	for i := range steps {
		steps[i] = execution.Step{At: d.time(), State: execution.State(d.string()), Event: execution.Event(d.string()), Note: d.string()}
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("decode a history: %w", err)
	}
	return steps, nil
}

// openValue looks at the two bytes that a value begins with.
func openValue(format byte, text string) (*decoder, error) {
	switch {
	case len(text) < 2 || text[0] != format || text[1] == 0:
		return nil, errBlob
	case text[1] > journalFormat:
		return nil, fmt.Errorf("format %d, this program knows %d: %w", text[1], journalFormat, errNewer)
	}
	return &decoder{b: []byte(text[2:])}, nil
}

func (d *decoder) bool() bool {
	v := d.byte()
	if v > 1 {
		d.fail()
	}
	return v == 1
}
