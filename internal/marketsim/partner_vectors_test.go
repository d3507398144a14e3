package marketsim

// partnerVectors are signatures that were computed by JavaScript: of bodies of
// create-purchase, and of queries of get-purchase.
var partnerVectors = []struct {
	name, key, raw, signed, signature string
	poll                              bool
}{
	{"P01 seed example, compact", "test_deposit_api_key_0001", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12345"}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12345"}`, "61384c719d1fcaf05e91481361d6ccc5f8f60b1d", false},
	{"P02 same data, pretty-printed", "test_deposit_api_key_0001", "{\n  \"id\": \"50231\",\n  \"steamId\": \"76561198000000000\",\n  \"token\": \"SSH18JS\",\n  \"price\": 1.23,\n  \"customId\": \"fast-12345\"\n}", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12345"}`, "61384c719d1fcaf05e91481361d6ccc5f8f60b1d", false},
	{"P03 same data, other key order", "test_deposit_api_key_0001", `{"customId":"fast-12345","id":"50231","price":1.23,"steamId":"76561198000000000","token":"SSH18JS"}`, `{"customId":"fast-12345","id":"50231","price":1.23,"steamId":"76561198000000000","token":"SSH18JS"}`, "468727fd0f16a1bdc776858631852e683c870cc1", false},
	{"P04 other key", "another_key", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12345"}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12345"}`, "d2387db8119c879b71e5497ea8b9652ea9eb9dca", false},
	{"P05 non-ASCII key", "ключ-ß-1", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12345"}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12345"}`, "06b6ecf2eae596246a183c901b1e0f2eb6228356", false},
	{"P06 integer price written 10.00", "test_deposit_api_key_0001", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":10.00,"customId":"fast-12346"}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":10,"customId":"fast-12346"}`, "7b00ba548513cedb06ff64a204eb83210bbc6443", false},
	{"P07 trailing zero 1.10", "test_deposit_api_key_0001", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.10,"customId":"fast-12347"}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.1,"customId":"fast-12347"}`, "35516b2b21716a43488eaf4a05a162c7331df87d", false},
	{"P08 exponent forms", "test_deposit_api_key_0001", `{"id":"50231","price":1.2E-7,"a":1E21,"b":123456789012345680000,"c":0.000001,"d":1e2,"customId":"fast-12348"}`, `{"id":"50231","price":1.2e-7,"a":1e+21,"b":123456789012345680000,"c":0.000001,"d":100,"customId":"fast-12348"}`, "844aefdfde60ffd9b4a862d7ded0966782e1f6fd", false},
	{"P09 negative zero", "test_deposit_api_key_0001", `{"id":"50231","price":-0,"q":-0.0,"customId":"fast-12349"}`, `{"id":"50231","price":0,"q":0,"customId":"fast-12349"}`, "6bf0bf2f74bc025f89b430ea971b65efb96e7883", false},
	{"P10 integer above 2^53", "test_deposit_api_key_0001", `{"id":9223372036854775807,"price":1.23,"customId":"fast-12350"}`, `{"id":9223372036854776000,"price":1.23,"customId":"fast-12350"}`, "f2675f27c9f78ad95ca322d6a285ae040c83c2a1", false},
	{"P11 number overflow", "test_deposit_api_key_0001", `{"id":"50231","price":1e400,"customId":"fast-12351"}`, `{"id":"50231","price":null,"customId":"fast-12351"}`, "409ddbc61ee42cf3361b73f17eacaa3e31b80e06", false},
	{"P12 raw UTF-8", "test_deposit_api_key_0001", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-★-Ü-1"}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-★-Ü-1"}`, "01b5997bbca468b3a08242e741e53b7d51f87117", false},
	{"P13 the same via escapes", "test_deposit_api_key_0001", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-\u2605-\u00dc-1"}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-★-Ü-1"}`, "01b5997bbca468b3a08242e741e53b7d51f87117", false},
	{"P14 surrogate pair", "test_deposit_api_key_0001", `{"id":"50231","price":1,"customId":"fast-\ud83d\ude00"}`, `{"id":"50231","price":1,"customId":"fast-😀"}`, "3b4debd077729bd7bfdf69eee9eccc684bc68658", false},
	{"P15 lone surrogate", "test_deposit_api_key_0001", `{"id":"50231","price":1,"customId":"fast-\uD83D"}`, `{"id":"50231","price":1,"customId":"fast-\ud83d"}`, "baa849d9ac10ccefa6b77d2aef023b98ac47ccf7", false},
	{"P16 HTML and slash", "test_deposit_api_key_0001", `{"id":"50231","token":"a<b>&c\/d","price":1,"customId":"fast-12352"}`, `{"id":"50231","token":"a<b>&c/d","price":1,"customId":"fast-12352"}`, "4105d8b949d1b7dc7f892bfd59f00047db45033d", false},
	{"P17 line separators", "test_deposit_api_key_0001", `{"id":"50231","token":"x\u2028y\u2029z","price":1,"customId":"fast-12353"}`, "{\"id\":\"50231\",\"token\":\"x\u2028y\u2029z\",\"price\":1,\"customId\":\"fast-12353\"}", "79f6f6169dbc6c9918596b46be0d51c516424744", false},
	{"P18 control characters", "test_deposit_api_key_0001", `{"id":"50231","token":"\u0000\u0008\u0009\u000a\u000b\u000c\u000d\u001f\u007f\"\\","price":1,"customId":"fast-12354"}`, "{\"id\":\"50231\",\"token\":\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\u007f\\\"\\\\\",\"price\":1,\"customId\":\"fast-12354\"}", "4770262583fc6f71f2f8df215d249fea253e9b44", false},
	{"P19 unknown extra fields", "test_deposit_api_key_0001", `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12355","phase":"Phase 2","meta":{"b":true,"a":null,"l":[1,2.50,"x"]}}`, `{"id":"50231","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-12355","phase":"Phase 2","meta":{"b":true,"a":null,"l":[1,2.5,"x"]}}`, "7df08e32041e1f4fccbc4c55cda93e6972d79eb0", false},
	{"P20 index-like keys", "test_deposit_api_key_0001", `{"b":1,"10":2,"2":3,"customId":"fast-12356"}`, `{"2":3,"10":2,"b":1,"customId":"fast-12356"}`, "99c2b4c5c674c2f91808703f2849fec727df1a02", false},
	{"P21 duplicate key", "test_deposit_api_key_0001", `{"price":1,"id":"50231","price":2,"customId":"fast-12357"}`, `{"price":2,"id":"50231","customId":"fast-12357"}`, "a1f9e9069539e168cdd8d940e07770cec4f22698", false},
	{"P22 empty object", "test_deposit_api_key_0001", "{}", "{}", "80ee53ebdec8dc11bbea04588644f67d2a7d18a5", false},
	{"G01 seed example", "test_deposit_api_key_0001", "customId=fast-12345", `{"customId":"fast-12345"}`, "90379d089c17a8b5179768a8e320ca1d0e86975f", true},
	{"G02 digits only", "test_deposit_api_key_0001", "customId=12345", `{"customId":"12345"}`, "96d4799bd50ad17018642084c34f09e3402d3ef1", true},
	{"G03 percent-encoded", "test_deposit_api_key_0001", "customId=fast%2012%2B3", `{"customId":"fast 12+3"}`, "26a13693eeb8a49b30cd1b990de5c03098254172", true},
	{"G04 plus sign", "test_deposit_api_key_0001", "customId=fast+12", `{"customId":"fast 12"}`, "7ef5f3d2eb249c008d90f96c91abc64ecc5e8cf4", true},
	{"G05 non-ASCII", "test_deposit_api_key_0001", "customId=fast-%E2%98%85", `{"customId":"fast-★"}`, "175ea2865f56ff1b15513bf748182b88024b9eed", true},
	{"G06 quote and backslash", "test_deposit_api_key_0001", "customId=a%22b%5Cc", `{"customId":"a\"b\\c"}`, "76ce95d7ad00ae1d77137677a57e23cff1b0f8d9", true},
	{"G07 empty value", "test_deposit_api_key_0001", "customId=", `{"customId":""}`, "d77d7fd0302a2328d08b3277864e7f52e046553c", true},
	{"G08 parameter missing", "test_deposit_api_key_0001", "", "{}", "80ee53ebdec8dc11bbea04588644f67d2a7d18a5", true},
	{"G09 repeated parameter", "test_deposit_api_key_0001", "customId=a&customId=b", `{"customId":["a","b"]}`, "5d65554528092180a29eb056476f894d55f76438", true},
	{"G10 extra parameters", "test_deposit_api_key_0001", "customId=fast-12345&x=1", `{"customId":"fast-12345"}`, "90379d089c17a8b5179768a8e320ca1d0e86975f", true},
}
