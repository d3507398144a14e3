package fetch

import (
	"fmt"
	"slices"
	"testing"

	"skinarb/pricing"
)

// BenchmarkDecide is what a round costs besides pulling and publishing: 25,000
// items of which every fiftieth has another ask.
func BenchmarkDecide(b *testing.B) {
	old := pricing.Catalog{Feed: testFeed, Version: 1}
	for i := range 25_000 {
		old.Listings = append(old.Listings, pricing.Listing{
			Item: pricing.Item{Game: testFeed.Game, Name: fmt.Sprintf("StatTrak™ AK-47 | Redline %d (Field-Tested)", i)}, Ask: pricing.Dollar,
		})
	}
	next := pricing.Catalog{Feed: testFeed, Version: 2, Listings: slices.Clone(old.Listings)}
	for i := 0; i < len(next.Listings); i += 50 {
		next.Listings[i].Ask += pricing.Cent
	}
	for name, shape := range map[string]func(){
		"same order":  func() {},
		"other order": func() { slices.Reverse(next.Listings) },
	} {
		b.Run(name, func(b *testing.B) {
			shape()
			b.ReportAllocs()
			for b.Loop() {
				p := pair(old, next)
				if err := p.validate(); err != nil || p.check().Held() {
					b.Fatalf("the catalog does not pass: %v", err)
				}
				p.diff()
			}
		})
	}
}
