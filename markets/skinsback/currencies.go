package skinsback

import (
	"context"
	"errors"
	"strings"

	"github.com/shopspring/decimal"
)

// Currency is one that SkinsBack knows.
type Currency struct {
	Code string // lower case, such as "eur"
	Name string
	// Rate is relative to the dollar's, which is 1; positive. Whether it counts
	// units for a dollar or dollars for a unit is not documented: hold it against
	// two amounts of the same thing before using it.
	Rate decimal.Decimal
}

// GetCurrencies gives the currencies with their rates. Rows without a code or a
// positive rate are left out. The fields are known from clients; since the base of
// the rates is not, they are divided by the dollar's, and without that one there
// is an error.
//
// Errors are those of GetBalance.
// https://skinsback.com/docs/api/v1/currencies
func (c *Client) GetCurrencies(ctx context.Context) ([]Currency, error) {
	var answer items[currencyFields]
	if err := c.read(ctx, "currencies", params{}, &answer); err != nil {
		return nil, err
	}
	return currencies(answer)
}

type currencyFields struct {
	Code text `json:"code"`
	Name text `json:"name"`
	Rate text `json:"rate"`
}

func currencies(answer items[currencyFields]) ([]Currency, error) {
	told, err := each(answer, "currencies", func(f currencyFields) Currency {
		return Currency{strings.ToLower(string(f.Code)), string(f.Name), f.Rate.decimal()}
	})
	if err != nil {
		return nil, err
	}
	var all []Currency
	var dollar decimal.Decimal
	for _, cur := range told {
		if cur.Code == "" || !cur.Rate.IsPositive() {
			continue
		}
		if cur.Code == "usd" {
			dollar = cur.Rate
		}
		all = append(all, cur)
	}
	if dollar.IsZero() {
		return nil, errors.New("currencies: the answer has no rate of the dollar")
	}
	for i := range all {
		all[i].Rate = all[i].Rate.Div(dollar)
	}
	return all, nil
}
