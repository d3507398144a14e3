package skinsback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"skinarb/execution"
	"skinarb/pricing"
)

// MaxBatch is how many things BuyMany buys at once at most. What SkinsBack allows
// is not documented.
const MaxBatch = 50

// BatchResult is what became of one request of a batch.
type BatchResult struct {
	Purchase Purchase // if Err is nil
	// Err is nil for bought and paid for, a *execution.RejectedError for refused
	// without taking money. After any other the outcome is open until
	// GetInfoByCustomIDs tells it.
	Err error
}

// BuyMany buys several lots in one request for one recipient, each at most once
// however it ends. Every request needs an ID, a limit and a CustomID of
// its own; Name and Game are not looked at, since a batch buys by lot only. wrote
// is called once, as soon as no further byte can leave, at the latest when BuyMany
// returns; nil means that nobody asks.
//
// Without an error there is a result for each request, in their order: some may be
// bought and others not. What the answer does not mention, or contradicts itself
// about, is in doubt. An error holds for the whole batch, with the meaning that
// Buy's has; after one that is neither a *execution.RejectedError nor a
// *execution.RetryLaterError everything in it is in doubt.
//
// The request and the two lists of the answer are documented. What a row of them
// has is not: rows of purchased are taken to be as of market_buy, those of
// unavailable to have id, custom_id, error_code and error_message. Whether a batch
// becomes one trade offer or several is not known.
// https://skinsback.com/docs/api/v1/market_batch_buy
func (c *Client) BuyMany(ctx context.Context, requests []BuyRequest, wrote func()) ([]BatchResult, error) {
	said := sayOnce(wrote)
	defer said()
	if len(requests) == 0 {
		return nil, nil
	}
	if err := c.permit(ctx, batchBuy); err != nil {
		return nil, err
	}
	return c.buyMany(ctx, requests, said)
}

// sayOnce makes wrote something that may be called often.
func sayOnce(wrote func()) func() {
	if wrote == nil {
		return func() {}
	}
	return sync.OnceFunc(wrote)
}

const batchBuy = "market_batch_buy"

// buyMany is BuyMany without a permit.
func (c *Client) buyMany(ctx context.Context, requests []BuyRequest, wrote func()) ([]BatchResult, error) {
	if reason := unfit(requests); reason != "" {
		return nil, fmt.Errorf("%s: %w", batchBuy, &execution.RejectedError{Reason: reason})
	}
	wanted := make([]map[string]string, len(requests))
	for i, r := range requests {
		wanted[i] = map[string]string{"id": r.ID, "max_price": r.MaxPrice.String(), "custom_id": r.CustomID}
	}
	to := c.recipient(requests[0].Recipient)
	c = c.hiding(to.Token)
	p := params{"partner": to.Partner, "token": to.Token, "items": wanted}
	var answer batchFields
	if err := c.once(ctx, batchBuy, p, wrote, &answer); err != nil {
		return nil, err
	}
	return answer.results(c, requests), nil
}

// unfit tells why a batch must not be sent. Lots and custom IDs must differ, or
// an answer could not be told apart.
func unfit(requests []BuyRequest) (reason string) {
	if len(requests) > MaxBatch {
		return "too_many_items"
	}
	lots, customIDs := map[string]bool{}, map[string]bool{}
	for _, r := range requests {
		switch {
		case r.ID == "" || r.MaxPrice <= 0 || r.CustomID == "":
			return "missing_id_or_max_price_or_custom_id"
		case r.Recipient != requests[0].Recipient:
			return "several_recipients"
		case lots[r.ID] || customIDs[r.CustomID]:
			return "id_or_custom_id_twice"
		}
		lots[r.ID], customIDs[r.CustomID] = true, true
	}
	return ""
}

// batchFields is the answer to a batch. Rows are kept as sent: one that cannot be
// read must not hide what the others say.
type batchFields struct {
	Purchased   optional[list[json.RawMessage]] `json:"purchased"`
	Unavailable optional[list[json.RawMessage]] `json:"unavailable"`
}

// refusedFields is a row of unavailable.
type refusedFields struct {
	ID       text `json:"id"`
	CustomID text `json:"custom_id"`
	Code     text `json:"error_code"`
	Message  text `json:"error_message"`
}

// What an answer leaves open of an item.
var (
	errUnmentioned = errors.New("the answer does not mention it")
	errContradicts = errors.New("the answer contradicts itself about it")
	errNoBuyID     = errors.New("the answer says purchased and has no buy_id")
)

// results finds what the answer says of each request.
func (f batchFields) results(c *Client, requests []BuyRequest) []BatchResult {
	said := make([][]BatchResult, len(requests)) // by request: every row about it
	// hear notes a row. One that fits a request by one ID and not by the other says
	// two things at once.
	hear := func(id, customID string, r BatchResult) {
		for i, asked := range requests {
			sameLot, sameCustom := id == asked.ID, customID == asked.CustomID
			switch {
			case sameLot && sameCustom, sameLot && customID == "", sameCustom && id == "":
				said[i] = append(said[i], r)
			case sameLot, sameCustom:
				said[i] = append(said[i], BatchResult{Err: errContradicts})
			}
		}
	}
	for _, raw := range f.Purchased.Value {
		var row purchaseFields
		if json.Unmarshal(raw, &row) != nil {
			continue
		}
		r := BatchResult{Purchase: row.purchase()}
		if r.Purchase.BuyID == "" {
			r = BatchResult{Err: errNoBuyID}
		}
		hear(string(row.Item.Value.ID), string(row.CustomID), r)
	}
	for _, raw := range f.Unavailable.Value {
		var row refusedFields
		if json.Unmarshal(raw, &row) != nil {
			continue
		}
		hear(string(row.ID), string(row.CustomID), BatchResult{Err: c.refusal(row)})
	}

	results := make([]BatchResult, len(requests))
	for i, r := range requests {
		switch {
		case len(said[i]) == 0:
			results[i].Err = errUnmentioned
		case len(said[i]) > 1:
			results[i].Err = errContradicts
		default:
			results[i] = said[i][0]
		}
		if results[i].Err != nil {
			results[i].Err = fmt.Errorf("%s of %s: %w", batchBuy, r.CustomID, results[i].Err)
			continue
		}
		results[i].Purchase.CustomID = r.CustomID // whether it is echoed is not documented
	}
	return results
}

// refusal judges a row of unavailable as market_buy's errors are judged, but for
// those of any method: they are no item's.
func (c *Client) refusal(row refusedFields) error {
	code, _ := row.Code.whole()
	e := &APIError{Method: "market_buy", Code: int(code), Message: string(row.Message)}
	reason := canonical(e)
	if buyErrors[reason] == refused {
		return &execution.RejectedError{Reason: reason, Account: accountErrors[reason]}
	}
	return fmt.Errorf("unavailable for reason %d %s", code, c.clean(string(row.Message), 100))
}

// PlaceMany is Place for several orders to one recipient in one request. Each
// offer must have the lot to buy in ListingID, and be of another lot than the
// others. It takes no permit: its caller has.
func (c *Client) PlaceMany(ctx context.Context, placings []execution.Placing, wrote func()) []execution.Outcome {
	said := sayOnce(wrote)
	defer said()
	outcomes := make([]execution.Outcome, len(placings))
	requests := make([]BuyRequest, len(placings))
	var refused error
	for i, p := range placings {
		to, err := recipient(p.Order)
		if err != nil {
			refused = err
		}
		c = c.hiding(to.Token)
		requests[i] = BuyRequest{MaxPrice: p.Order.Ask, CustomID: string(p.Order.ID), Recipient: to}
		if p.Order.Item.Phase != pricing.UnknownPhase { // which could be any
			requests[i].ID = p.Offer.ListingID
		}
	}
	var results []BatchResult
	err := refused
	if err == nil {
		results, err = c.buyMany(ctx, requests, said)
	}
	for i, p := range placings {
		switch {
		case err != nil:
			outcomes[i].Err = fmt.Errorf("place %s with %d others on skinsback: %w", p.Order.ID, len(placings)-1, err)
		case results[i].Err != nil:
			outcomes[i].Err = fmt.Errorf("place %s on skinsback: %w", p.Order.ID, results[i].Err)
		default:
			outcomes[i].Evidence = c.placed(results[i].Purchase)
		}
	}
	return outcomes
}
