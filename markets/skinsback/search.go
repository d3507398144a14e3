package skinsback

import (
	"context"

	"skinarb/fetch"
	"skinarb/pricing"
)

// Search gives the lots on offer now whose name contains name, which must have
// three characters. Whether letter case matters is not documented: filter the
// answer. Rows that cannot be used are left out.
//
// Errors: *execution.RetryLaterError, *APIError, *AnswerError, or the network's.
// https://skinsback.com/docs/api/v1/market_search
func (c *Client) Search(ctx context.Context, g pricing.Game, name string) ([]Lot, error) {
	return c.search(ctx, params{"game": string(g), "name": name})
}

// SearchNames gives the lots on offer now that have one of the names, each of at
// least three characters and the market's exact spelling. How many names it takes
// at once is not documented.
//
// Errors are those of Search.
// https://skinsback.com/docs/api/v1/market_search
func (c *Client) SearchNames(ctx context.Context, g pricing.Game, names []string) ([]Lot, error) {
	if len(names) == 0 {
		return nil, nil
	}
	return c.search(ctx, params{"game": string(g), "names": names})
}

func (c *Client) search(ctx context.Context, p params) ([]Lot, error) {
	q := call{"market_search", p, fetch.ForPurchase, c.cfg.Timeout, 8 * c.cfg.MaxBody}
	var found []Lot
	copied := func(name []byte) (string, error) { return string(name), nil }
	_, err := c.list(ctx, q, lots(copied, func(l Lot) error {
		found = append(found, l)
		return nil
	}))
	if err != nil {
		return nil, err
	}
	return found, nil
}
