package sih

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of a list that is read page by page.
const (
	pageSize = 100
	maxPages = 100
	inOrder  = 10 // rows that must come newest first before the rest is taken to do so, too
)

// pagination stands beside a page of a list. What it says of limit and offset is
// known, and hasMore of the list of accounts is not needed: an example of SIH's
// has it false with most of the rows still to come.
type pagination struct {
	Count optional[text] `json:"count"` // of all rows there are, by the value in SIH's example
	Total optional[text] `json:"total"` // the same, in the list of accounts
}

// total gives the count, or -1 when it was not told.
func (p pagination) total() int {
	for _, t := range []text{p.Count.V, p.Total.V} {
		if n, ok := t.integer(); ok && n >= 0 && n < 1<<31 {
			return int(n)
		}
	}
	return -1
}

// page is a part of a list; count is of the whole list, or -1.
type page[T any] struct {
	rows  []T
	count int
}

var errPages = errors.New("the list does not end")

// collect reads a list and keeps each row once, if it is not older than since. The
// order of SIH's lists is not documented: only one whose rows have all come newest
// first, and are enough of them with different times to tell, is left at since.
// Any other is read to its end. Rows that are added meanwhile shift the pages, so a
// row may come twice. identify gives a row's key and time, which is zero when it was
// not told.
func collect[T any, K comparable](since time.Time, read func(offset int) (page[T], error), identify func(T) (K, time.Time)) ([]T, error) {
	var kept []T
	seen := map[K]bool{}
	newestFirst, first, last := true, time.Time{}, time.Time{}
	for offset, pages := 0, 0; ; pages++ {
		if pages == maxPages {
			return nil, fmt.Errorf("%w: %d rows read", errPages, offset)
		}
		p, err := read(offset)
		if err != nil {
			return nil, err
		}
		before := len(seen)
		for _, row := range p.rows {
			key, at := identify(row)
			if seen[key] {
				continue
			}
			seen[key] = true
			newestFirst = newestFirst && !at.IsZero() && (last.IsZero() || !at.After(last))
			if last = at; len(seen) == 1 {
				first = at
			}
			if at.IsZero() || !at.Before(since) {
				kept = append(kept, row)
			}
		}
		offset += len(p.rows)
		if len(p.rows) == 0 || p.count >= 0 && offset >= p.count {
			return kept, nil
		}
		if newestFirst && len(seen) >= inOrder && last.Before(first) && last.Before(since) {
			return kept, nil
		}
		if len(seen) == before {
			return nil, fmt.Errorf("%w: nothing new from row %d of %d", errPages, offset, p.count)
		}
	}
}
