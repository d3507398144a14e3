package skinsback

import (
	"context"
	"errors"

	"skinarb/pricing"
)

// Balance is the money of the account.
type Balance struct {
	USD pricing.Money // what can be spent
	// Plain is the balance in a currency that is not told: dollars for new
	// accounts, roubles for old ones. Zero when not told.
	Plain pricing.Money
	// Deals and Withdrawn are the totals of deals and of withdrawals, in dollars;
	// zero when not told. What counts as a deal is not documented.
	Deals, Withdrawn pricing.Money
	// Disagree is set when both were told and differ by more than rounding: the
	// account is not in dollars, or one of the two is wrong.
	Disagree bool
}

// GetBalance asks for the money of the account. The fields are known from clients,
// and so is that plain amounts may be in roubles. The history of withdrawals and
// deposits of money has a page in the documentation's menu, but the name of its
// method is not known: these totals are all there is of it.
//
// Errors: *execution.RetryLaterError, *APIError, *AnswerError, or the network's.
// https://skinsback.com/docs/api/v1/balance
func (c *Client) GetBalance(ctx context.Context) (Balance, error) {
	var answer balanceFields
	if err := c.read(ctx, "balance", params{}, &answer); err != nil {
		return Balance{}, err
	}
	return answer.balance()
}

type balanceFields struct {
	Balance    text                    `json:"balance"`
	Currencies object[map[string]text] `json:"balance_in_currencies"`

	Deals     optional[map[string]text] `json:"deals_sum_in_currencies"`
	Withdrawn optional[map[string]text] `json:"withdraw_sum_in_currencies"`
}

// balance prefers the amount that says it is in dollars.
func (f balanceFields) balance() (Balance, error) {
	plain, hasPlain := f.Balance.money()
	b := Balance{USD: plain, Plain: plain, Deals: f.Deals.Value["usd"].amount(), Withdrawn: f.Withdrawn.Value["usd"].amount()}
	if !f.Currencies.Told {
		if !hasPlain {
			return Balance{}, errors.New("balance: the answer has no amount")
		}
		return b, nil
	}
	usd, ok := f.Currencies.Value["usd"].money()
	if !ok {
		return Balance{}, errors.New("balance: the answer has no amount in dollars")
	}
	b.USD = usd
	if difference := usd - plain; hasPlain && (difference > pricing.Cent || difference < -pricing.Cent) {
		b.Disagree = true
	}
	return b, nil
}

// Status is the state of SkinsBack's servers.
type Status struct {
	Available bool
	Reason    string // when unavailable: site_off, no_bots, or others
}

// Status asks whether the market works.
//
// Errors are those of GetBalance.
// https://skinsback.com/docs/api/v1/status
func (c *Client) Status(ctx context.Context) (Status, error) {
	var answer statusFields
	if err := c.read(ctx, "status", params{}, &answer); err != nil {
		return Status{}, err
	}
	return answer.status()
}

type statusFields struct {
	Available *text `json:"available"`
	Reason    text  `json:"reason"`
}

func (f statusFields) status() (Status, error) {
	if f.Available == nil {
		return Status{}, errors.New("status: the answer does not tell")
	}
	available, err := f.Available.flag()
	if err != nil {
		return Status{}, errors.New("status: available is neither true nor false")
	}
	return Status{Available: available, Reason: string(f.Reason)}, nil
}
