package sih

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"

	"skinarb/execution"
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

// SetWebhook registers the address that SIH calls when an order changes (GET
// /set-webhook, which changes something although it is a GET). SIH signs nothing,
// so the address should end in a secret; it appears in no error. Webhook reads
// what arrives there.
//
// The errors are those of every change: a *execution.RejectedError when SIH
// refuses the address or it is none, a *execution.RetryLaterError when nothing
// happened, else the outcome is unknown, and Project tells which address is
// registered.
func (c *Client) SetWebhook(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("sih set-webhook: %w", &execution.RejectedError{Reason: "not_an_address"})
	}
	c = c.hiding(address, url.QueryEscape(address), u.RequestURI(), path.Base(u.Path), u.RawQuery)
	return c.setWebhook(ctx, url.Values{"url": {address}})
}

// RemoveWebhook ends the calls to the registered address (GET /set-webhook
// without an address). The errors are those of SetWebhook.
func (c *Client) RemoveWebhook(ctx context.Context) error { return c.setWebhook(ctx, nil) }

func (c *Client) setWebhook(ctx context.Context, query url.Values) error {
	return c.change(ctx, request{path: "set-webhook", query: query}, func(a *answer) error {
		return c.decodeChange(a, &struct{}{})
	})
}
