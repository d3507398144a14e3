package main

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/redis/go-redis/v9"

	"skinarb/pricing"
)

// publishPeer is what one would write first to keep a catalog in Redis. write
// tells how often it waited for an answer.
type publishPeer struct {
	name     string
	realOnly bool // the embedded Redis needs a minute for so many keys
	write    func(ctx context.Context, client *redis.Client, c pricing.Catalog) (trips int, err error)
}

var publishPeers = []publishPeer{
	{"HSET per item, pipelined", true, hashPerItem},
	{"one hash", false, oneHash},
	{"one blob with swap", false, blobWithSwap},
}

// pipelineLength is how many commands, or fields of one hash, are sent together.
const pipelineLength = 1000

// hashPerItem keeps each item as a hash of its own.
func hashPerItem(ctx context.Context, client *redis.Client, c pricing.Catalog) (trips int, err error) {
	for from := 0; from < len(c.Listings); from += pipelineLength {
		pipe := client.Pipeline()
		for _, l := range c.Listings[from:min(from+pipelineLength, len(c.Listings))] {
			pipe.HSet(ctx, "peer:item:"+l.Item.String(),
				"market_name", l.MarketName, "ask", l.Ask.String(), "count", strconv.Itoa(l.Count),
				"steam", l.Steam.String(), "sell", l.SellHint.String(), "source", l.Source)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return trips, err
		}
		trips++
	}
	return trips, nil
}

// oneHash keeps each item as a field with JSON.
func oneHash(ctx context.Context, client *redis.Client, c pricing.Catalog) (trips int, err error) {
	fields := make([]any, 0, 2*pipelineLength)
	for from := 0; from < len(c.Listings); from += pipelineLength {
		fields = fields[:0]
		for _, l := range c.Listings[from:min(from+pipelineLength, len(c.Listings))] {
			value, err := json.Marshal(newPeerListing(l))
			if err != nil {
				return trips, err
			}
			fields = append(fields, l.Item.String(), value)
		}
		if err := client.HSet(ctx, "peer:items", fields...).Err(); err != nil {
			return trips, err
		}
		trips++
	}
	return trips, nil
}

// blobWithSwap keeps all items as one JSON, which readers see whole or not at all.
func blobWithSwap(ctx context.Context, client *redis.Client, c pricing.Catalog) (trips int, err error) {
	all := make([]peerListing, len(c.Listings))
	for i, l := range c.Listings {
		all[i] = newPeerListing(l)
		all[i].Name = l.Item.String()
	}
	blob, err := json.Marshal(all)
	if err != nil {
		return 0, err
	}
	_, err = client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, "peer:next", blob, 0)
		pipe.Rename(ctx, "peer:next", "peer:catalog")
		return nil
	})
	return 1, err
}

// peerListing is a listing as one would put it into JSON.
type peerListing struct {
	Name       string `json:"name,omitempty"` // where the key does not tell it
	MarketName string `json:"market_name"`
	Ask        string `json:"ask"`
	Count      int    `json:"count"`
	Steam      string `json:"steam,omitempty"`
	Sell       string `json:"sell,omitempty"`
	Source     string `json:"source,omitempty"`
}

func newPeerListing(l pricing.Listing) peerListing {
	p := peerListing{MarketName: l.MarketName, Ask: l.Ask.String(), Count: l.Count, Source: l.Source}
	if l.Steam != 0 {
		p.Steam = l.Steam.String()
	}
	if l.SellHint != 0 {
		p.Sell = l.SellHint.String()
	}
	return p
}
