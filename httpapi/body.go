package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// readBody decodes a JSON body into v, and refuses unknown members, a member that
// comes twice, a second value and a compressed body: the limit on bodies counts
// bytes as sent.
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
		return explain(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem(codeInvalidBody, "something follows the JSON value")
	}
	return checkMembers(body)
}

// explain says what is wrong with a body, in words of JSON instead of Go.
func explain(err error) error {
	if errors.Is(err, io.EOF) {
		return problem(codeInvalidBody, "the body is empty")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if name, err := strconv.Unquote(name); err == nil {
			return problem(codeInvalidBody, "unknown member %s", quoted(name))
		}
	}
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return problem(codeInvalidBody, "%s", err)
	}
	what, want, got := "the body", "something else", wrong.Value
	if wrong.Field != "" {
		what = quoted(wrong.Field)
	}
	switch wrong.Type.Kind() {
	case reflect.Struct, reflect.Map:
		want = "an object"
	case reflect.Slice:
		want = "an array"
	case reflect.String:
		want = "a string"
	case reflect.Int:
		want = "a whole number"
	}
	switch {
	case got == "array" || got == "object":
		got = "an " + got
	case got == "bool":
		got = "a boolean"
	case strings.HasPrefix(got, "number "): // with its digits, however many
		got = "another number"
	default:
		got = "a " + got
	}
	return problem(codeInvalidBody, "%s: expected %s, got %s", what, want, got)
}

// checkMembers refuses what encoding/json takes for a member although it is
// spelled in other letters, or takes the last of: whoever sent it may have meant
// something else. The body has been decoded, so all of it is ours but for that,
// and all of our names are lower case.
func checkMembers(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return problem(codeInvalidBody, "%s", err)
		}
		name, _ := t.(string)
		switch {
		case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "":
			return problem(codeInvalidBody, "unknown member %s", quoted(name))
		case seen[name]:
			return problem(codeInvalidBody, "member %s is given twice", quoted(name))
		}
		seen[name] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return problem(codeInvalidBody, "%s", err)
		}
		if err := checkMembers(value); err != nil {
			return err
		}
	}
	return nil
}

// escapes finds the escapes of a JSON text. Its group is half a pair of surrogates.
var escapes = regexp.MustCompile(`\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)`)

// checkText refuses a JSON text in which something stands for no character:
// encoding/json has put U+FFFD in its place.
func checkText(body []byte) error {
	whole := utf8.Valid(body)
	for _, at := range escapes.FindAllSubmatchIndex(body, -1) {
		whole = whole && at[2] < 0
	}
	if !whole {
		return problem(codeInvalidBody, "the body is not valid UTF-8, or has half a pair of surrogates")
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
