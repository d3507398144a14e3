package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

// Page sizes of the positions.
const (
	positionsStandard = 100
	positionsMost     = 500
)

// positionJSON is a position in an answer. What is not known yet is null; price,
// listed_at and proceeds are of the listing that counts.
type positionJSON struct {
	Order     execution.OrderID     `json:"order"`
	Item      itemJSON              `json:"item"`
	Cost      string                `json:"cost"`
	State     selling.PositionState `json:"state"`
	AssetID   *string               `json:"asset_id"`
	Market    pricing.Market        `json:"market"`
	Price     *string               `json:"price"`
	Floor     *string               `json:"floor"`
	ListedAt  *string               `json:"listed_at"`
	Proceeds  *string               `json:"proceeds"`
	Profit    *string               `json:"profit"`
	Note      *string               `json:"note"`
	UpdatedAt *string               `json:"updated_at"`
}

func toPosition(p selling.Position) positionJSON {
	out := positionJSON{
		Order: p.ID, Item: toItem(p.Item), Cost: p.Cost.String(), State: p.State(), AssetID: text(p.Asset), Market: p.SellOn,
		Floor: amount(p.Floor), Note: text(p.Note), UpdatedAt: instant(p.Changed()),
	}
	if out.State == selling.Held {
		return out // the note says what the last listing was
	}
	out.Price, out.ListedAt = amount(p.Listing.Price), instant(p.Listing.ListedAt)
	if p.Done() {
		out.Note = text(p.Listing.Error) // what was noted before does not hold any more
	}
	if p.Listing.State == selling.Sold {
		proceeds, profit := p.Listing.Proceeds.String(), p.Profit().String()
		out.Proceeds, out.Profit = &proceeds, &profit
	}
	return out
}

// getPositions answers GET /v1/positions. The cursor is the order of the last
// position of the page before.
func (s *Server) getPositions(c *fiber.Ctx, q params) error {
	limit, err := q.limit(positionsStandard, positionsMost)
	if err != nil {
		return err
	}
	query := selling.Query{Limit: limit + 1, After: execution.OrderID(q.get("cursor"))} // one more tells whether a page follows
	if query.After != "" && !orderID.MatchString(q.get("cursor")) {
		return problem(codeInvalidParameter, "cursor is not one that this endpoint gave")
	}
	if query.States, err = parsePositionStates(q.get("state")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	positions, err := s.cfg.Trading.Positions(ctx, query)
	switch {
	case errors.Is(err, selling.ErrNoPosition) && query.After != "":
		return problem(codeInvalidParameter, "cursor is not one that this endpoint gave")
	case err != nil:
		return fmt.Errorf("list positions: %w", err)
	}
	answer := struct {
		Positions  []positionJSON `json:"positions"`
		NextCursor *string        `json:"next_cursor"`
	}{Positions: []positionJSON{}}
	for i, p := range positions {
		if i == limit {
			answer.NextCursor = text(string(positions[i-1].ID))
			break
		}
		answer.Positions = append(answer.Positions, toPosition(p))
	}
	return writeValue(c, answer)
}

// parsePositionStates reads a comma list of position states; empty means all.
func parsePositionStates(s string) ([]selling.PositionState, error) {
	if s == "" {
		return nil, nil
	}
	var states []selling.PositionState
	for name := range strings.SplitSeq(s, ",") {
		if !slices.Contains(selling.PositionStates, selling.PositionState(name)) {
			return nil, problem(codeInvalidParameter, "unknown position state %s", quoted(name))
		}
		states = append(states, selling.PositionState(name))
	}
	return states, nil
}
