package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"
)

// Partner answers SIH's calls to a seller. Its methods give a whole answer in JSON
// whatever they are asked, and know by the signature whether SIH asks. They may be
// called concurrently, and keep nothing of body.
type Partner interface {
	// Create answers a create-purchase.
	Create(ctx context.Context, body []byte, signature string) []byte

	// Get answers a get-purchase with this query, as it stands in the URL.
	Get(ctx context.Context, rawQuery, signature string) []byte
}

// headerSignature is where markets that sign what they send put it.
const headerSignature = "Signature"

// postPartnerPurchase answers POST /partner/sih/create-purchase.
func (s *Server) postPartnerPurchase(c *fiber.Ctx, _ params) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	r := c.Request() // its body as it was sent: c.Body would inflate it
	writeJSON(c, s.cfg.Partner.Create(ctx, r.Body(), string(r.Header.Peek(headerSignature))))
	return nil
}

// getPartnerPurchase answers GET /partner/sih/get-purchase.
func (s *Server) getPartnerPurchase(c *fiber.Ctx, _ params) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	r := c.Request()
	writeJSON(c, s.cfg.Partner.Get(ctx, string(r.URI().QueryString()), string(r.Header.Peek(headerSignature))))
	return nil
}
