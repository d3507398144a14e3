package sih

import (
	"context"

	"skinarb/fetch"
	"skinarb/pricing"
)

// Games lists the games that SIH Market sells.
func (c *Client) Games() []pricing.Game {
	return []pricing.Game{pricing.CS2, pricing.Rust, pricing.TF2}
}

// Pull reads the whole catalog of a game. It asks for the form without flags,
// the only one that was seen with everything that a Listing has.
func (c *Client) Pull(ctx context.Context, g pricing.Game) (fetch.Pull, error) {
	return c.GetItems(ctx, g, Flags{})
}
