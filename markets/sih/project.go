package sih

import (
	"context"
	"errors"

	"skinarb/fetch"
	"skinarb/pricing"
)

// Project is the account.
type Project struct {
	ID      int64
	Name    string
	Balance pricing.Money // of the main wallet, as far as is known
	Webhook string        // registered callback URL, empty if none; it has a secret in it
}

// Project asks for the account (GET /project).
func (c *Client) Project(ctx context.Context) (Project, error) {
	var p Project
	err := c.read(ctx, request{path: "project", class: fetch.ForStatus}, func(a *answer) (err error) {
		p, err = c.decodeProject(a)
		return err
	})
	return p, err
}

func (c *Client) decodeProject(a *answer) (Project, error) {
	var in struct {
		Project *struct {
			ID      optional[text] `json:"id"`
			Name    optional[text] `json:"name"`
			Balance text           `json:"balance"`
			Webhook optional[text] `json:"webhook"`
		} `json:"project"`
	}
	if err := c.decode(a, &in); err != nil {
		return Project{}, err
	}
	if in.Project == nil {
		return Project{}, c.unreadable(a, errors.New("no project in it"))
	}
	balance, ok := in.Project.Balance.money()
	if !ok {
		return Project{}, c.unreadable(a, errors.New("the balance is no amount"))
	}
	id, _ := in.Project.ID.V.integer()
	return Project{
		ID:      id,
		Name:    string(in.Project.Name.V),
		Balance: balance,
		Webhook: string(in.Project.Webhook.V),
	}, nil
}

// Balance is the money that the account can spend.
func (c *Client) Balance(ctx context.Context) (pricing.Money, error) {
	p, err := c.Project(ctx)
	return p.Balance, err
}
