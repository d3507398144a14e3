package skinsback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/pricing"
)

var testRequest = BuyRequest{Name: "Kilowatt Case", Game: pricing.CS2, MaxPrice: 285_000, CustomID: "ord-0001"}

// outcome is what a caller makes of the error of a purchase.
func outcome(err error) string {
	var no *execution.RejectedError
	var later *execution.RetryLaterError
	switch {
	case err == nil:
		return "bought"
	case errors.As(err, &no) && !errors.As(err, &later):
		return "rejected " + no.Reason
	case errors.As(err, &later):
		return "later"
	}
	return "in doubt"
}

func TestEveryErrorOfAPurchase(t *testing.T) {
	for _, tc := range []struct {
		code int
		text string
		want string
	}{
		{-1, "please_use_post_method", "rejected please_use_post_method"},
		{-2, "invalid_shopid", "rejected invalid_shopid"},
		{-3, "invalid_signature", "rejected invalid_signature"},
		{-4, "shop_not_active", "rejected shop_not_active"},
		{-5, "invalid_method", "rejected invalid_method"},
		{-6, "market_disabled", "rejected market_disabled"},
		{-7, "request_limit_reached", "later"},
		{-8, "invalid_ip_address", "rejected invalid_ip_address"},
		{-9, "under_maintenance", "later"},
		{1, "missing_name_and_id", "rejected missing_name_and_id"},
		{2, "name_min_length_3", "rejected name_min_length_3"},
		{3, "missing_partner_or_token", "rejected missing_partner_or_token"},
		{4, "insufficient_funds", "rejected insufficient_funds"},
		{5, "skin_unavailable", "rejected skin_unavailable"},
		{6, "skins_not_found_at_specified_price", "rejected skins_not_found_at_specified_price"},
		{7, "custom_id_already_exists", "in doubt"},
		{8, "invalid_partner_value", "rejected invalid_partner_value"},
		{9, "invalid_max_price", "in doubt"},
		{-10, "new_general_error", "in doubt"},
		{0, "", "in doubt"},
	} {
		t.Run(fmt.Sprint(tc.code, " ", tc.text), func(t *testing.T) {
			bodies := map[string]string{
				"as documented": fmt.Sprintf(`{"status":"error","error_code":%d,"error_message":%q}`, tc.code, tc.text),
				"as strings":    fmt.Sprintf(`{"status":"error","error_code":"%d","error_message":%q}`, tc.code, tc.text),
				"code alone":    fmt.Sprintf(`{"status":"error","error_code":%d}`, tc.code),
				"text alone":    fmt.Sprintf(`{"status":"error","error_message":%q}`, tc.text),
				"status fail":   fmt.Sprintf(`{"status":"fail","error_code":%d,"error_message":%q}`, tc.code, tc.text),
			}
			for form, body := range bodies {
				for _, status := range []int{200, 400, 403, 500, 503} {
					_, err := answering(t, status, body).Buy(t.Context(), testRequest)
					if got := outcome(err); got != tc.want {
						t.Errorf("%s, HTTP %d: got %s (%v), want %s", form, status, got, err, tc.want)
					}
				}
			}
		})
	}
}

func TestEverySampleOfAnError(t *testing.T) {
	for _, name := range samples(t, "error_*.json") {
		c := answering(t, 200, sample(t, name))
		var api *APIError
		if _, err := c.Status(t.Context()); !errors.As(err, &api) || api.Code == 0 || !strings.Contains(name, api.Message) {
			t.Errorf("%s: got %v, want its error", name, err)
		}
		_, err := c.Buy(t.Context(), testRequest)
		if !errors.As(err, &api) {
			t.Errorf("%s: got %v, want its error", name, err)
		}
		want := "in doubt"
		switch text := api.Message; {
		case strings.HasPrefix(name, "error_general_minus7"), strings.HasPrefix(name, "error_general_minus9"):
			want = "later"
		case strings.HasPrefix(name, "error_market_buy_7"):
		case strings.HasPrefix(name, "error_general"), strings.HasPrefix(name, "error_market_buy"):
			want = "rejected " + text
		default:
			continue // another method's error says nothing about a purchase
		}
		if got := outcome(err); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestTheTextWinsOverTheCode(t *testing.T) {
	for body, want := range map[string]string{
		`{"status":"error","error_code":4,"error_message":"custom_id_already_exists"}`: "in doubt",
		`{"status":"error","error_code":7,"error_message":"skin_unavailable"}`:         "rejected skin_unavailable",
		`{"status":"error","error_code":5,"error_message":"request_limit_reached"}`:    "later",
		`{"status":"error","error_code":4,"error_message":"solde_insuffisant"}`:        "rejected insufficient_funds",
	} {
		_, err := answering(t, 200, body).Buy(t.Context(), testRequest)
		if got := outcome(err); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestErrorsOfReadsDecideNothingAboutMoney(t *testing.T) {
	reads := map[string]func(*Client) error{
		"search":  func(c *Client) error { _, err := c.Search(t.Context(), pricing.CS2, "Kilowatt Case"); return err },
		"getinfo": func(c *Client) error { _, err := c.GetInfo(t.Context(), "1"); return err },
		"many":    func(c *Client) error { _, err := c.GetInfoByCustomIDs(t.Context(), []string{"a"}); return err },
		"history": func(c *Client) error { _, err := c.GetHistory(t.Context(), testNow, testNow); return err },
		"balance": func(c *Client) error { _, err := c.Balance(t.Context()); return err },
		"status":  func(c *Client) error { _, err := c.Status(t.Context()); return err },
		"rates":   func(c *Client) error { _, err := c.GetCurrencies(t.Context()); return err },
		"deposit": func(c *Client) error { _, err := c.GetDeposit(t.Context(), DepositRef{OrderID: "a"}); return err },
		"deposits": func(c *Client) error {
			_, err := c.GetDeposits(t.Context(), testNow, testNow)
			return err
		},
		"callbacks": func(c *Client) error { _, err := c.GetCallbackErrors(t.Context()); return err },
		"inventory": func(c *Client) error { _, err := c.GetInventory(t.Context(), testInventory); return err },
		"list": func(c *Client) error {
			_, err := c.Pricelist(t.Context(), pricing.CS2, func(Group) error { return nil })
			return err
		},
	}
	for name, read := range reads {
		for code := -9; code <= 9; code++ {
			b := &budget{}
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"status":"error","error_code":%d}`, code)
			}, with(b))
			err := read(c)
			var api *APIError
			if !errors.As(err, &api) || api.Code != code {
				t.Errorf("%s, error %d: got %v", name, code, err)
			}
			want := "in doubt"
			if code == -7 || code == -9 {
				want = "later"
				if name == "list" {
					var p *fetch.PauseError
					if !errors.As(err, &p) || p.After < time.Minute {
						t.Errorf("%s, error %d: got %v, want a pause of a minute", name, code, err)
					}
					want = "in doubt"
				}
				if len(b.pauses) != 1 || b.pauses[0] < time.Minute {
					t.Errorf("%s, error %d: the budget was paused for %v, want a minute", name, code, b.pauses)
				}
			}
			if got := outcome(err); got != want {
				t.Errorf("%s, error %d: got %s, want %s", name, code, got, want)
			}
			unknown := (name == "getinfo" || name == "many") && code == 2 || name == "deposit" && code == 4
			if errors.Is(err, execution.ErrNotFound) != unknown {
				t.Errorf("%s, error %d: got %v, want not found %v", name, code, err, unknown)
			}
		}
	}
}

func TestRateLimitPausesTheAccount(t *testing.T) {
	for _, tc := range []struct {
		status int
		header string
		body   string
		after  time.Duration
	}{
		{200, "", sample(t, "error_general_minus7_request_limit_reached.json"), time.Minute},
		{429, "90", sample(t, "error_general_minus7_request_limit_reached.json"), 90 * time.Second},
		{429, "90", "<html>slow down</html>", 90 * time.Second},
		{429, testNow.Add(2 * time.Minute).Format(http.TimeFormat), "", 2 * time.Minute},
		{429, testNow.Add(-time.Minute).Format(http.TimeFormat), "", time.Minute},
		{429, "", "", time.Minute},
		{429, "-5", "", time.Minute},
		{429, "soon", "", time.Minute},
		{429, "999999999999", "", time.Hour},
	} {
		b := &budget{}
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", tc.header)
			w.WriteHeader(tc.status)
			io.WriteString(w, tc.body)
		}, with(b))
		_, err := c.Buy(t.Context(), testRequest)
		var later *execution.RetryLaterError
		if !errors.As(err, &later) || later.After != tc.after {
			t.Errorf("HTTP %d, Retry-After %q: got %v, want after %s", tc.status, tc.header, err, tc.after)
		}
		if len(b.pauses) != 1 || b.pauses[0] != tc.after {
			t.Errorf("HTTP %d, Retry-After %q: paused %v, want %s", tc.status, tc.header, b.pauses, tc.after)
		}
		_, err = c.Pull(t.Context(), pricing.CS2)
		var pause *fetch.PauseError
		if !errors.As(err, &pause) || pause.After != tc.after {
			t.Errorf("pull, HTTP %d, Retry-After %q: got %v, want after %s", tc.status, tc.header, err, tc.after)
		}
	}
}

// TestUnusableAnswersLeaveAPurchaseInDoubt lists answers that are neither a
// success nor an error of SkinsBack's.
func TestUnusableAnswersLeaveAPurchaseInDoubt(t *testing.T) {
	bought := sample(t, "market_buy.json")
	for name, tc := range map[string]struct {
		status int
		body   string
	}{
		"HTML":                      {200, "<!DOCTYPE html><html>One moment</html>"},
		"gateway":                   {502, "<html>502 Bad Gateway</html>"},
		"empty":                     {200, ""},
		"no content":                {204, ""},
		"a redirect":                {302, ""},
		"not found":                 {404, "not found"},
		"forbidden":                 {403, "<html>"},
		"success in a 500":          {500, bought},
		"success in a 429":          {429, bought},
		"half an answer":            {200, bought[:len(bought)/2]},
		"half an error":             {200, `{"status":"error","error_code":5`},
		"garbled":                   {200, strings.Replace(bought, "buy_id", "\x00\x01", 1)},
		"something follows":         {200, bought + "x"},
		"no buy_id":                 {200, `{"status":"success","custom_id":"ord-0001"}`},
		"empty buy_id":              {200, `{"status":"success","buy_id":[]}`},
		"another custom_id":         {200, `{"status":"success","buy_id":1,"custom_id":"ord-0002"}`},
		"success that names errors": {200, `{"status":"success","buy_id":1,"error_code":5}`},
		"no status":                 {200, `{"buy_id":1}`},
		"a list":                    {200, "[]"},
		"too large":                 {200, `{"status":"success","buy_id":1,"x":"` + strings.Repeat("x", 5<<20) + `"}`},
	} {
		_, err := answering(t, tc.status, tc.body).Buy(t.Context(), testRequest)
		if got := outcome(err); got != "in doubt" {
			t.Errorf("%s: got %s (%v), want in doubt", name, got, err)
		}
	}
}

func TestTheSecretIsInNoError(t *testing.T) {
	inJSON := strings.ReplaceAll(strings.ReplaceAll(testSecret, `"`, `\"`), "/", `\/`)
	for _, body := range []string{
		"<html>" + testSecret + "</html>",
		strings.Repeat("x", 195) + testSecret,
		strings.Repeat(testSecret, 600),
		strings.Repeat("x", quoteWindow-3) + testSecret,
		`{"status":"error","error_code":77,"error_message":"` + inJSON + `"}`,
		`{"status":"success","items":"` + inJSON + `"}`,
		url.QueryEscape(testSecret) + inJSON,
	} {
		for _, status := range []int{200, 429, 500} {
			c := answering(t, status, body)
			_, buy := c.Buy(t.Context(), testRequest)
			_, pull := c.Pull(t.Context(), pricing.CS2)
			_, balance := c.Balance(t.Context())
			results, batch := c.BuyMany(t.Context(), sampleBatch, nil)
			if batch == nil {
				batch = results[0].Err
			}
			_, sale := c.Sell(t.Context(), testSale, nil)
			_, deposit := c.GetDeposit(t.Context(), DepositRef{OrderID: "a"})
			for _, err := range []error{buy, pull, balance, batch, sale, deposit} {
				text := fmt.Sprintf("%v %+v %q", err, err, err)
				for _, form := range []string{testSecret, inJSON, url.QueryEscape(testSecret), "s3cret"} {
					if strings.Contains(text, form) {
						t.Errorf("HTTP %d %.80q: %s shows %s", status, body, text, form)
					}
				}
				var answer *AnswerError
				if errors.As(err, &answer) && len(answer.Quote) > 200 {
					t.Errorf("HTTP %d: quotes %d bytes, want at most 200", status, len(answer.Quote))
				}
				if strings.ContainsAny(err.Error(), "\x00\r\n\x1b") {
					t.Errorf("control character in %q", err)
				}
			}
		}
	}
	// A server that answers with something that net/http itself quotes, and an
	// address with a password.
	address := rawServer(t, "HTTP/1.1 "+testSecret+"\x00\x1b[31m oh\r\n\r\n")
	c := newClient(t, strings.Replace(address, "http://", "http://user:hush@", 1)+"/api.php?key=hush")
	for _, err := range []error{
		func() error { _, err := c.Buy(t.Context(), testRequest); return err }(),
		func() error { _, err := c.Balance(t.Context()); return err }(),
	} {
		if err == nil || strings.Contains(err.Error(), testSecret) || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("got %q, want an error without secrets", err)
		}
	}
}

// TestTradeTokensAreShownNowhere: a server that echoes the request, in a page or in an
// error's text, or tells a token as the reason of a failure, has neither ours nor a
// buyer's shown.
func TestTradeTokensAreShownNowhere(t *testing.T) {
	const ours, theirs = "AbCdEf12", "SSH18JSx"
	buyer := execution.Buyer{Ref: "fast-1", To: execution.Recipient{Partner: "39734272", SteamID: "76561198000000000", Token: theirs}}
	purchase := func(id, token string) string {
		return `"buy_id":"` + id + `","custom_id":"sa-` + id + `","offer_status":"bad ` + token + `","error_reason":"bad token ` + token + `"`
	}
	for whose, tc := range map[string]struct {
		buyer execution.Buyer
		token string
	}{"ours": {execution.Buyer{}, ours}, "a buyer's": {buyer, theirs}} {
		for name, answer := range map[string]func(body string) string{
			"a page": func(body string) string { return "<html>bad gateway: " + body },
			"an error's text": func(string) string {
				return `{"status":"error","error_code":99,"error_message":"bad token ` + tc.token + `"}`
			},
			"a failure":        func(string) string { return `{"status":"success",` + purchase("1", tc.token) + `}` },
			"several failures": func(string) string { return `{"status":"success","items":[{` + purchase("1", tc.token) + `}]}` },
			"rows of a batch": func(string) string {
				return `{"status":"success","purchased":[{` + purchase("1", tc.token) + `}],"unavailable":[{"custom_id":"sa-2","error_code":99,"error_message":"` + tc.token + `"}]}`
			},
		} {
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				io.WriteString(w, answer(string(b)))
			})
			one, two := order(t, "sa-1", "AK-47 | Redline (Field-Tested)", 1), order(t, "sa-2", "AK-47 | Redline (Field-Tested)", 1)
			one.Buyer, two.Buyer = tc.buyer, tc.buyer
			var said []any
			say := func(e execution.Evidence, err error) { said = append(said, e, err) }
			say(c.Place(t.Context(), one, execution.Offer{}, func() {}))
			say(c.Lookup(t.Context(), one))
			for _, out := range c.PlaceMany(t.Context(), []execution.Placing{{Order: one, Offer: execution.Offer{ListingID: "1"}}, {Order: two, Offer: execution.Offer{ListingID: "2"}}}, nil) {
				say(out.Evidence, out.Err)
			}
			tracked, err := c.Track(t.Context(), []execution.Order{two, one})
			said = append(said, tracked, err)
			if text := fmt.Sprintf("%+v", said); strings.Contains(text, tc.token) || !strings.Contains(text, "[secret]") {
				t.Errorf("%s in %s: got %s, want it hidden", whose, name, text)
			}
		}
	}
}

func TestCleanKeepsWhatIsHarmless(t *testing.T) {
	c := newClient(t, DefaultURL)
	for in, want := range map[string]string{
		"plain ★ text":          "plain ★ text",
		" a\tb\x00c\n":          "a b c",
		"\xff\xfe":              "?",
		"x" + testSecret + "y":  "x[secret]y",
		strings.Repeat("★", 80): strings.Repeat("★", 66), // 198 bytes, never half a character
	} {
		if got := c.clean(in, 200); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestACallersContextEndsARead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // else the server does not see the client leave
		cancel()
		<-r.Context().Done()
	})
	if _, err := c.Balance(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
