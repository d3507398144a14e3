package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// openAPI describes every endpoint that there can be; a test compares it with the
// routes and with real answers.
//
//go:embed openapi.json
var openAPI []byte

// dashboard is one page with its script and style in it.
//
//go:embed dashboard.html
var dashboard []byte

// dashboardPolicy lets the browser run the page's own script and style and
// nothing else, and talk to us only: a market's text that slipped into the page
// as markup would do nothing.
var dashboardPolicy = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" +
	"; script-src " + hashOf(string(dashboard), "script") +
	"; style-src " + hashOf(string(dashboard), "style")

// hashOf gives the content of the one element of a name as a source of a
// Content-Security-Policy.
func hashOf(page, element string) string {
	_, rest, _ := strings.Cut(page, "<"+element+">")
	content, _, ok := strings.Cut(rest, "</"+element+">")
	if !ok {
		panic("httpapi: the dashboard has no " + element)
	}
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var fiberParam = regexp.MustCompile(`:(\w+)`)

// describeRoutes gives openAPI without the paths that are not among rs.
func describeRoutes(rs []route) []byte {
	served := map[string]bool{}
	for _, r := range rs {
		served[fiberParam.ReplaceAllString(r.path, "{$1}")] = true
	}
	var doc struct {
		OpenAPI    string                     `json:"openapi"`
		Info       json.RawMessage            `json:"info"`
		Servers    json.RawMessage            `json:"servers"`
		Paths      map[string]json.RawMessage `json:"paths"`
		Components json.RawMessage            `json:"components"`
	}
	dec := json.NewDecoder(bytes.NewReader(openAPI))
	dec.DisallowUnknownFields() // nothing of it gets lost
	if err := dec.Decode(&doc); err != nil {
		panic("httpapi: openapi.json: " + err.Error())
	}
	maps.DeleteFunc(doc.Paths, func(path string, _ json.RawMessage) bool { return !served[path] })
	b, err := json.Marshal(doc)
	if err != nil {
		panic("httpapi: openapi.json: " + err.Error())
	}
	return b
}

// getOpenAPI answers GET /openapi.json.
func (s *Server) getOpenAPI(c *fiber.Ctx, _ params) error {
	writeJSON(c, s.openAPI)
	return nil
}

// getDashboard answers GET /.
func (s *Server) getDashboard(c *fiber.Ctx, _ params) error {
	c.Set(fiber.HeaderContentSecurityPolicy, dashboardPolicy)
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Response().SetBody(dashboard)
	return nil
}
