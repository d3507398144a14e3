package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/gofiber/fiber/v2"
)

// readBody decodes a JSON body into v, and refuses unknown members, a second
// value and a compressed body: the limit on bodies counts bytes as sent.
func readBody(c *fiber.Ctx, v any) error {
	if enc := c.Request().Header.ContentEncoding(); len(enc) > 0 && !bytes.EqualFold(enc, []byte("identity")) {
		return problem(codeMediaType, "a compressed body is not taken")
	}
	return decodeBody(c.Request().Body(), v)
}

func decodeBody(body []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return problem(codeInvalidBody, "the body is empty")
		}
		return problem(codeInvalidBody, "%s", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem(codeInvalidBody, "something follows the JSON value")
	}
	return nil
}

// readCommand is readBody for what changes something: the body may be missing.
// Its declared type does not matter: the plainest curl must be able to stop
// trading, and a foreign page cannot send the Authorization that is needed.
func readCommand(c *fiber.Ctx, v any) error {
	if len(c.Request().Body()) == 0 {
		return nil
	}
	return readBody(c, v)
}
