package httpapi

import (
	"github.com/gofiber/fiber/v2"
)

// Hooks takes what markets tell by themselves. Its methods return at once, may
// be called concurrently, and keep nothing of body.
type Hooks interface {
	// SkinsBack takes an event with what stood in the headers Signature and
	// Authorization. False: it is not signed as SkinsBack signs.
	SkinsBack(signature, authorization string, body []byte) bool

	// SIH takes an event that was sent to the path that ends in secret. False:
	// that is not the secret.
	SIH(secret string, body []byte) bool
}

// postSkinsBackHook answers POST /webhooks/skinsback. Whatever else is wrong with
// a signed event, sending it again would not mend it: it is taken.
func (s *Server) postSkinsBackHook(c *fiber.Ctx, _ params) error {
	h := &c.Request().Header
	// The body as it was sent: c.Body would inflate it.
	if !s.cfg.Hooks.SkinsBack(string(h.Peek(headerSignature)), string(h.Peek(fiber.HeaderAuthorization)), c.Request().Body()) {
		return problem(codeUnauthorized, "the event is not signed with the client secret")
	}
	return writeTaken(c)
}

// postSIHHook answers POST /webhooks/sih/{secret}, and with a wrong secret as if
// there were no such path.
func (s *Server) postSIHHook(c *fiber.Ctx, _ params) error {
	secret, ok := pathParam(c, "secret")
	if !ok || !s.cfg.Hooks.SIH(secret, c.Request().Body()) {
		c.Response().Header.Del(fiber.HeaderXContentTypeOptions)
		c.Response().Header.Del(fiber.HeaderCacheControl)
		return fiber.ErrNotFound
	}
	return writeTaken(c)
}

func writeTaken(c *fiber.Ctx) error {
	writeJSON(c, []byte("{}"))
	return nil
}
