package httpapi

import (
	"context"
	"strings"

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

// The paths of the partner. Whatever comes there, SIH takes every answer but 200
// for a broken network.
const (
	createPurchasePath = "/partner/sih/create-purchase"
	getPurchasePath    = "/partner/sih/get-purchase"
)

// partnerPath gives the path of the partner that this is, with or without a slash
// at its end; empty when it is none.
func (s *Server) partnerPath(path string) string {
	path = strings.TrimSuffix(path, "/")
	for _, ours := range []string{createPurchasePath, getPurchasePath} {
		if s.cfg.Partner != nil && path == ours {
			return ours
		}
	}
	return ""
}

// answerUnsigned answers what came to a path of the partner and cannot be read as
// a call of SIH's: as the partner answers a call without body and signature.
func (s *Server) answerUnsigned(c *fiber.Ctx, _ params) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	c.Response().Header.Del(fiber.HeaderAllow) // which goes with a 405
	writeJSON(c, s.cfg.Partner.Create(ctx, nil, ""))
	return nil
}

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
