package redisstore

import (
	"fmt"
	"slices"
	"testing"

	"skinarb/internal/storetest"
	"skinarb/pricing"
)

// BenchmarkPublish compares publishing what changed, every fiftieth of 25,000
// items, with publishing all.
func BenchmarkPublish(b *testing.B) {
	ls := make([]pricing.Listing, 25_000)
	for i := range ls {
		name := fmt.Sprintf("StatTrak™ AK-47 | Redline %d (Field-Tested)", i)
		ls[i] = pricing.Listing{Item: pricing.Item{Game: pricing.CS2, Name: name}, MarketName: name, Ask: pricing.Money(10_000 + i*7919%1_000_000), Count: i % 50}
	}
	b.Run("changes", func(b *testing.B) {
		s := embedded(b)
		defer closing(b, s)()
		c, ch := storetest.Follow(pricing.Catalog{}, ls)
		if err := s.Publish(b.Context(), c, ch); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			b.StopTimer()
			next := slices.Clone(c.Listings)
			for i := int(c.Version) % 50; i < len(next); i += 50 {
				next[i].Ask++
			}
			c, ch = storetest.Follow(c, next)
			b.StartTimer()
			if err := s.Publish(b.Context(), c, ch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all", func(b *testing.B) {
		s := embedded(b)
		defer closing(b, s)()
		for b.Loop() {
			if err := s.client.Del(b.Context(), keysOf(storetest.Feed).catalog).Err(); err != nil {
				b.Fatal(err)
			}
			c, ch := storetest.Follow(pricing.Catalog{}, ls)
			if err := s.Publish(b.Context(), c, ch); err != nil {
				b.Fatal(err)
			}
		}
	})
}
