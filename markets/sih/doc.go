// Package sih is a client of the API of SIH Market (Steam Inventory Helper,
// https://docs.sih.app/guide): the catalog, orders, the wallets, the project and
// its webhook, and selling: accounts and what they have on sale. Nobody else
// knows that wire format. The other direction, in which SIH calls a seller's
// server, is package partner.
//
// A Client has one method for each endpoint. Outside of this package an amount is
// a pricing.Money in US dollars, a time a time.Time, and each kind of id a type
// of its own, since on the wire the units change from one endpoint to the next:
//
//	order times               Unix seconds
//	wallet times              Unix milliseconds
//	amount of an order        money
//	amount of a deposit       units (Quantity)
//	id of an order            number (int64)
//	id of an item on sale     text (DepositID)
//	Steam's id of an item     text (AssetID)
//
// On top of its endpoints a Client implements fetch.Source (source.go) and
// execution.Market (market.go), and its Shop selling.Market (selling.go). All
// methods may be called concurrently, and every one bounds its own wait and the
// size of what it reads.
//
//	endpoint                                          method
//	GET  /project                                     Project, Balance
//	GET  /set-webhook                                 SetWebhook, RemoveWebhook
//	GET  /get-items                                   GetItems, Pull
//	GET  /get-min-item                                GetMinItem, Check
//	POST /create-order                                CreateOrder, Place
//	GET  /get-order                                   GetOrder, Lookup
//	GET  /get-order-history                           GetOrderHistory, History
//	POST /get-orders                                  GetOrders, Track
//	GET  /wallet/history                              WalletHistory, Bookings
//	POST /project/user                                AddAccount
//	GET  /project/user/{steamId}                      Account
//	GET  /project/users                               Accounts, AccountStates
//	POST /project/user/{steamId}/online/{online}      SetAccountOnline
//	POST /project/users/online/{online}               SetAccountsOnline
//	POST /project/deposit                             Deposit
//	GET  /project/deposits                            Deposits
//	POST /project/delete-deposit                      DeleteDeposits
//	webhook calls                                     Webhook
//
// The API in short. Every request carries the project's key in the header
// "apikey". An answer is a JSON object with a boolean success; a refusal has
// status 400 and a text, most of which are not documented. Prices are JSON
// numbers in US dollars, with more than two decimals at times; we read and write
// them as text, never as floats. No limits are documented, so unknown members are
// ignored and odd rows of a catalog skipped. A list that money hangs on, as of
// orders or of what is on sale, is read whole or not at all. Comments say where
// the documentation is silent, and how we cope.
//
// # Reads
//
// A read that fails on the wire or with a status of 500 and above is tried
// again, three times in all. Each try takes its own permit from the budget. An
// error is an *APIError if SIH refused, a *fetch.PauseError if it asks to be left
// alone, and else tells what broke.
//
// # Purchases and other changes
//
// Whatever changes something is sent once, also where it is a GET. It has a
// connection of its own, which carries nothing before or after it, so that
// neither net/http nor this package can send it again. Its answer counts only if
// we understand all of it:
//
//	answer                                         outcome
//	200, success, and what belongs to it           done
//	409 and the order under our customId           bought before: that order
//	400 and a text                                 *execution.RejectedError
//	401 or 403 and a JSON error                    *execution.RejectedError
//	429                                            *execution.RetryLaterError
//	no connection, or no permit                    *execution.RetryLaterError
//	anything else                                  unknown, look it up
//
// To a purchase a 400 is a refusal only with one of the documented texts, which
// tell of the recipient. To other changes it is one with any text but "unknown
// error".
//
// What is unknown is looked up by reading, before anything is sent again: a
// purchase by GetOrder under its customId, an item put on sale or deleted by
// Deposits, an account by Account or AccountStates, the webhook by Project. A
// customId makes a purchase happen once, however often it is sent. Of a deposit's
// customId SIH does not say that.
package sih
