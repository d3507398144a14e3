// Package skinsback is the client of SkinsBack's merchant API, version 1: price
// lists, search, purchases and what became of them, selling out of an inventory,
// deposits, balance, currencies, server status, and the events and callbacks that
// SkinsBack sends. Client is also what fetch asks of a source (source.go) and what
// execution asks of a market (market.go).
//
//	client, err := skinsback.New(skinsback.Config{ClientID: id, ClientSecret: secret, Recipient: recipient})
//	lots, err := client.Search(ctx, pricing.CS2, "Kilowatt Case")
//	bought, err := client.Buy(ctx, skinsback.BuyRequest{ID: lots[0].ID, MaxPrice: lots[0].Ask, CustomID: "mine-1"})
//
// The examples go on from there. Methods of Client are named after what they do;
// docs/markets.md lists them by SkinsBack's own names. Amounts are dollars, exact;
// a field that was not told, or cannot be read, is zero. All methods may be called
// concurrently, wait no longer than Config's times, and take a permit of Config's
// Budget for each request, but for Place and PlaceMany, whose caller has.
//
// The API is one URL that takes POST requests with a method name among the
// parameters, described at https://skinsback.com/docs/api/v1/. What that
// description leaves open is read defensively: every number may come as a
// string, an empty object as a list, a list as an object with numbers for
// keys. Unknown fields are ignored, unknown states are handed on as they are.
// What is known from elsewhere than that description, or guessed, says so.
//
// # What an error says
//
// An answer is judged by its body first and its HTTP status second, because
// SkinsBack sends errors with status 200. An error object becomes an *APIError,
// which wraps the decision that follows from it:
//
//   - *execution.RetryLaterError (of a price list *fetch.PauseError): too many
//     requests, or maintenance. Nothing happened.
//   - *execution.RejectedError, of writes only: the market refused, and neither
//     money nor items moved.
//   - execution.ErrNotFound, of market_getinfo, orderstatus and offer_approve:
//     there is no such purchase or deposit.
//   - none of these: the answer decides nothing. For a write that means in doubt.
//
// A write whose connection never came to be is a RetryLaterError too. All else,
// time-outs, resets, gateway pages, answers that cannot be read, errors that
// nobody described, leaves its outcome open: only a look-up by our own ID can
// tell, GetInfoByCustomIDs of a purchase and GetDeposit of a deposit.
//
// # What is sent twice
//
// Writes never are: Buy, BuyMany, Sell, CreateDeposit, ApproveDeposit, Place and
// PlaceMany. Each has a connection of its own, which is not reused, and no
// redirect is followed. Reads are tried up to three times when the network or a
// gateway fails, each time with a permit of its own.
//
// # What SkinsBack says by itself
//
// Events about purchases come over a socket (Listen) or as webhooks (Webhook),
// callbacks about deposits to a result URL (DepositCallback). Each may be late,
// lost, repeated or old, and is a reason to ask, never an answer. Nobody is
// believed to be SkinsBack without a signature over what he says.
//
// Credentials appear in no error text, whatever the server echoes.
package skinsback
