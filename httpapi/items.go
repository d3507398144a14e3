package httpapi

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
)

// Page sizes of the search.
const (
	itemsStandard = 20
	itemsMost     = 100
)

// getItems answers GET /v1/items.
func (s *Server) getItems(c *fiber.Ctx, q params) error {
	g, err := q.game()
	if err != nil {
		return err
	}
	limit, err := q.limit(itemsStandard, itemsMost)
	if err != nil {
		return err
	}
	if q.get("q") == "" {
		return problem(codeMissingParameter, "q is missing: words of an item's name")
	}
	found, next, err := s.search.Find(s.cfg.Prices.Book(), g, q.get("q"), limit, q.get("cursor"))
	switch {
	case errors.Is(err, pricing.ErrCursor):
		return problem(codeInvalidParameter, "cursor is not one that this endpoint gave")
	case errors.Is(err, pricing.ErrSearch):
		return problem(codeInvalidParameter, "q: %s", err)
	case err != nil:
		return err
	}
	answer := struct {
		Items      []itemJSON `json:"items"`
		NextCursor *string    `json:"next_cursor"`
	}{make([]itemJSON, len(found)), text(next)}
	for i, it := range found {
		answer.Items[i] = toItem(it)
	}
	return writeValue(c, answer)
}
