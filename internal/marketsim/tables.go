package marketsim

// The vocabulary the catalog is generated from. Lists are separated by commas,
// musicKits by semicolons because their names contain commas.

var exteriors = []string{"Factory New", "Minimal Wear", "Field-Tested", "Well-Worn", "Battle-Scarred"}

// weapons are the guns of CS2 with the type the market shows for them and the
// finishes they are best known for. Each is filled up from commonFinishes.
var weapons = []struct{ name, kind, finishes string }{
	{"AK-47", "Rifle", "Aquamarine Revenge, Asiimov, Baroque Purple, Black Laminate, Bloodsport, Blue Laminate, Cartel, Case Hardened, Elite Build, Emerald Pinstripe, Fire Serpent, First Class, Frontside Misty, Fuel Injector, Gold Arabesque, Green Laminate, Head Shot, Hydroponic, Ice Coaled, Inheritance, Jaguar, Jet Set, Legion of Anubis, Leet Museo, Neon Revolution, Neon Rider, Nightwish, Orbit Mk01, Panthera onca, Phantom Disruptor, Point Disarray, Predator, Rat Rod, Red Laminate, Redline, Safari Mesh, Safety Net, Slate, Steel Delta, The Empress, Uncharted, Vulcan, Wasteland Rebel, Wild Lotus, X-Ray"},
	{"M4A4", "Rifle", "Asiimov, Bullet Rain, Buzz Kill, Choppa, Converter, Cyber Security, Dark Blossom, Daybreak, Desert Storm, Desert-Strike, Desolate Space, Etch Lord, Evil Daimyo, Eye of Horus, Faded Zebra, Global Offensive, Griffin, Hellfire, Hellish, Howl, In Living Color, Jungle Tiger, Magnesium, Modern Hunter, Neo-Noir, Poseidon, Poly Mag, Radiation Hazard, Red DDPAT, Royal Paladin, Spider Lily, Temukau, The Battlestar, The Coalition, The Emperor, Tooth Fairy, Tornado, Turbine, Urban DDPAT, X-Ray, Zirka, Zubastick, 龍王 (Dragon King)"},
	{"M4A1-S", "Rifle", "Atomic Alloy, Basilisk, Black Lotus, Blood Tiger, Blue Phosphor, Boreal Forest, Briefing, Bright Water, Chantico's Fire, Control Panel, Cyrex, Dark Water, Decimator, Emphorosaur-S, Fizzy POP, Flashback, Golden Coil, Guardian, Hot Rod, Hyper Beast, Icarus Fell, Imminent Danger, Knight, Leaded Glass, Liquidation, Master Piece, Mecha Industries, Moss Quartz, Mud-Spec, Night Terror, Nightmare, Nitro, Player Two, Printstream, Rose Hex, VariCamo, Vaporwave, Welcome to the Jungle"},
	{"AUG", "Rifle", "Akihabara Accept, Amber Fade, Amber Slipstream, Anodized Navy, Aristocrat, Arctic Wolf, Bengal Tiger, Carved Jade, Chameleon, Condemned, Contractor, Copperhead, Death by Puppy, Eye of Zapems, Fleet Flock, Flame Jörmungandr, Hot Rod, Midnight Lily, Momentum, Navy Murano, Plague, Radiation Hazard, Random Access, Ricochet, Sand Storm, Spalted Wood, Storm, Stymphalian, Surveillance, Sweeper, Syd Mead, Tom Cat, Torque, Triqua, Wings"},
	{"SG 553", "Rifle", "Aerial, Aloha, Anodized Navy, Army Sheen, Atlas, Barricade, Berry Gel Coat, Bleached, Bulldozer, Candy Apple, Colony IV, Cyberforce, Cyrex, Damascus Steel, Danger Close, Darkwing, Desert Blossom, Dragon Tech, Fallout Warning, Hazard Pay, Heavy Metal, Hypnotic, Integrale, Lush Ruins, Ol' Rusty, Phantom, Pulse, Tiger Moth, Tornado, Triarch, Ultraviolet, Wave Spray, Waves Perforated"},
	{"FAMAS", "Rifle", "Afterimage, CaliCamo, Colony, Commemoration, Contrast Spray, Crypsis, Cyanospatter, Dark Water, Decommissioned, Djinn, Doomkitty, Eye of Athena, Faulty Wiring, Hexane, Macabre, Mecha Industries, Meltdown, Meow 36, Neural Net, Prime Conspiracy, Pulse, Rapid Eye Movement, Roll Cage, Sergeant, Spitfire, Styx, Sundown, Survivor Z, Teardown, Valence, Waters of Nephthys, ZX Spectron"},
	{"Galil AR", "Rifle", "Akoben, Amber Fade, Aqua Terrace, Black Sand, Blue Titanium, CAUTION!, Cerberus, Chatterbox, Chromatic Aberration, Cold Fusion, Connexion, Control, Crimson Tsunami, Destroyer, Dusk Ruins, Eco, Firefight, Hunting Blind, Kami, Orange DDPAT, Phoenix Blacklight, Rainbow Spoon, Rocket Pop, Sandstorm, Shattered, Signal, Stone Cold, Sugar Rush, Tornado, Tuxedo, Urban Rubble, Vandal, Winter Forest"},
	{"AWP", "Sniper Rifle", "Acheron, Asiimov, Atheris, BOOM, Black Nile, CMYK, Capillary, Chromatic Aberration, Chrome Cannon, Containment Breach, Corticera, Crakow!, Desert Hydra, Dragon Lore, Duality, Electric Hive, Elite Build, Exoskeleton, Exothermic, Fade, Fever Dream, Graphite, Green Energy, Gungnir, Hyper Beast, Ice Coaled, LongDog, Lightning Strike, Man-o'-war, Medusa, Mortis, Neo-Noir, Oni Taiji, PAW, POP AWP, Phobos, Pink DDPAT, Pit Viper, Printstream, Redline, Safari Mesh, Silk Tiger, Snake Camo, Sun in Leo, The Prince, Wildfire, Worm God"},
	{"SSG 08", "Sniper Rifle", "Abyss, Acid Fade, Azure Glyph, Big Iron, Blood in the Water, Blue Spruce, Bloodshot, Carbon Fiber, Dark Water, Death Strike, Death's Head, Detour, Dezastre, Dragonfire, Fever Dream, Ghost Crusader, Grey Smoke, Hand Brake, Jungle Dashed, Lichen Dashed, Mainframe 001, Mayan Dreams, Memorial, Necropos, Orange Filigree, Parallax, Prey, Rapid Transit, Red Stone, Sand Dune, Sea Calico, Shooting Star, Slashed, Spring Twilly, Threat Detected, Tiger Tear, Tropical Storm, Turbo Peek, Zeno"},
	{"SCAR-20", "Sniper Rifle", "Army Sheen, Assault, Bloodsport, Blueprint, Brass, Cardiac, Carbon Fiber, Contractor, Crimson Web, Cyrex, Emerald, Enforcer, Fragments, Green Marine, Grotto, Jungle Slipstream, Magna Carta, Outbreak, Palm, Poultrygeist, Powercore, Sand Mesh, Short Ochre, Splash Jam, Stone Mosaico, Storm, Torn, Trail Blazer, Wild Berry, Zinc"},
	{"G3SG1", "Sniper Rifle", "Ancient Ritual, Arctic Camo, Azure Zebra, Black Sand, Chronos, Contractor, Demeter, Desert Storm, Digital Mesh, Dream Glade, Flux, Green Apple, Green Cell, High Seas, Hunter, Jungle Dashed, Keeping Tabs, Murky, New Roots, Orange Crash, Orange Kimono, Polar Camo, Red Jasper, Safari Mesh, Scavenger, Stinger, The Executioner, Variegated Wood, Ventilator, Violet Murano"},
	{"Glock-18", "Pistol", "AXIA, Blue Fissure, Block-18, Brass, Bullet Queen, Bunsen Burner, Candy Apple, Catacombs, Clear Polymer, Coral Bloom, Death Rattle, Dragon Tattoo, Fade, Franklin, Gold Toof, Grinder, Groundwater, High Beam, Ironwork, Moonrise, Neo-Noir, Nightmare, Nuclear Garden, Off World, Oxide Blaze, Ramese's Reach, Reactor, Red Tire, Royal Legion, Sacrifice, Sand Dune, Shinobu, Snack Attack, Steel Disruption, Synth Leaf, Teal Graf, Twilight Galaxy, Umbral Rabbit, Vogue, Warhawk, Wasteland Rebel, Water Elemental, Weasel, Winterized, Wraiths"},
	{"USP-S", "Pistol", "Alpine Camo, Ancient Visions, Black Lotus, Blood Tiger, Blueprint, Business Class, Caiman, Check Engine, Cortex, Cyrex, Dark Water, Desert Tactical, Flashback, Forest Leaves, Guardian, Jawbreaker, Kill Confirmed, Lead Conduit, Monster Mashup, Neo-Noir, Night Ops, Orange Anolis, Orion, Overgrowth, Para Green, Pathfinder, PC-GRN, Printstream, Purple DDPAT, Road Rash, Royal Blue, Royal Guard, Serum, Stainless, Target Acquired, The Traitor, Ticket to Hell, Torque, Whiteout"},
	{"P2000", "Pistol", "Acid Etched, Amber Fade, Chainmail, Coach Class, Coral Halftone, Corticera, Dispatch, Fire Elemental, Gnarled, Granite Marbleized, Grassland, Handgun, Imperial, Imperial Dragon, Ivory, Lifted Spirits, Obsidian, Ocean Foam, Oceanic, Panther Camo, Pathfinder, Pulse, Red FragCam, Scorpion, Silver, Space Race, Sure Grip, Turf, Urban Hazard, Wicked Sick, Woodsman"},
	{"Desert Eagle", "Pistol", "Blaze, Blue Ply, Bronze Deco, Calligraffiti, Cobalt Disruption, Code Red, Conspiracy, Corinthian, Crimson Web, Directive, Emerald Jörmungandr, Fennec Fox, Firefight, Golden Koi, Hand Cannon, Heat Treated, Heirloom, Hypnotic, Kumicho Dragon, Light Rail, Mecha Industries, Meteorite, Midnight Storm, Mint Fan, Mulberry, Naga, Night Heist, Ocean Drive, Oxide Blaze, Pilot, Printstream, Serpent Strike, Sputnik, Starcade, Sunset Storm 壱, Sunset Storm 弐, The Bronze, The Daily Deagle, Tilted, Trigger Discipline, Urban DDPAT, Urban Rubble"},
	{"Five-SeveN", "Pistol", "Angry Mob, Anodized Gunmetal, Autumn Thicket, Berries And Cherries, Boost Protocol, Buddy, Candy Apple, Capillary, Case Hardened, Contractor, Copper Galaxy, Coolant, Crimson Blossom, Fairy Tale, Fall Hazard, Flame Test, Forest Night, Fowl Play, Heat Treated, Hot Shot, Hybrid, Hyper Beast, Kami, Midnight Paintover, Monkey Business, Neon Kimono, Nightshade, Nitro, Orange Peel, Retrobution, Scrawl, Scumbria, Silver Quartz, Triumvirate, Urban Hazard, Violent Daimyo, Withered Vine"},
	{"P250", "Pistol", "Apep's Curse, Asiimov, Bengal Tiger, Black & Tan, Bone Mask, Boreal Forest, Bullfrog, Cartel, Cassette, Contamination, Crimson Kimono, Cyber Shell, Dark Filigree, Digital Architect, Drought, Epicenter, Exchanger, Facets, Franklin, Gunsmoke, Hive, Iron Clad, Inferno, Mehndi, Mint Kimono, Modern Hunter, Muertos, Nevermore, Nuclear Threat, Red Rock, Red Tide, Re.built, Ripple, See Ya Later, Splash, Supernova, Undertow, Valence, Verdigris, Vino Primo, Visions, Wingshot"},
	{"Tec-9", "Pistol", "Army Mesh, Avalanche, Bamboo Forest, Bamboozle, Banana Leaf, Blast From the Past, Blue Titanium, Brass, Brother, Cracked Opal, Cut Out, Decimator, Flash Out, Fubar, Fuel Injector, Garter-9, Groundwater, Hades, Ice Cap, Isaac, Jambiya, Mummy's Rot, Nuclear Threat, Orange Murano, Ossified, Phoenix Chalk, Re-Entry, Rebel, Red Quartz, Remote Control, Rust Leaf, Safety Net, Sandstorm, Slag, Snek-9, Terrace, Titanium Bit, Toxic, Tiger Stencil"},
	{"CZ75-Auto", "Pistol", "Army Sheen, Chalice, Circaetus, Copper Fiber, Crimson Web, Distressed, Eco, Emerald, Emerald Quartz, Green Plaid, Hexane, Imprint, Indigo, Jungle Dashed, Midnight Palm, Nitro, Poison Dart, Pole Position, Polymer, Red Astor, Silver, Slalom, Syndicate, Tacticat, The Fuschia Is Now, Tigris, Tread Plate, Tuxedo, Twist, Vendetta, Victoria, Xiangliu, Yellow Jacket"},
	{"Dual Berettas", "Pistol", "Anodized Navy, Balance, Black Limba, Briar, Cartel, Cobalt Quartz, Cobra Strike, Colony, Contractor, Demolition, Dezastre, Drift Wood, Dualing Dragons, Duelist, Elite 1.6, Emerald, Flora Carnivora, Hemoglobin, Hideout, Hydro Strike, Marina, Melondrama, Moon in Libra, Oil Change, Panther, Pyre, Retribution, Rose Nacre, Royal Consorts, Shred, Stained, Tread, Twin Turbo, Urban Shock, Ventilators"},
	{"R8 Revolver", "Pistol", "Amber Fade, Banana Cannon, Blaze, Bone Forged, Bone Mask, Canal Spray, Cobalt Grip, Crazy 8, Crimson Web, Desert Brush, Fade, Grip, Junk Yard, Llama Cannon, Memento, Nitro, Night, Phoenix Marker, Reboot, Skull Crusher, Survivalist, Tango"},
	{"MP9", "SMG", "Airlock, Arctic Tri-Tone, Army Sheen, Bee-Tron, Bioleak, Black Sand, Bulldozer, Buff Blue, Capillary, Dart, Deadly Poison, Dark Age, Dry Season, Featherweight, Food Chain, Goo, Green Plaid, Hot Rod, Hydra, Hypnotic, Modest Threat, Mount Fuji, Music Box, Old Roots, Orange Peel, Pandora's Box, Rose Iron, Ruby Poison Dart, Sand Dashed, Sand Scale, Setting Sun, Slide, Stained Glass, Starlight Protector, Wild Lily"},
	{"MAC-10", "SMG", "Allure, Aloha, Amber Fade, Button Masher, Calf Skin, Candy Apple, Carnivore, Case Hardened, Classic Crate, Copper Borre, Curse, Disco Tech, Ensnared, Fade, Gold Brick, Graven, Heat, Hot Snakes, Indigo, Lapis Gator, Last Dive, Malachite, Monkeyflage, Neon Rider, Nuclear Garden, Oceanic, Pipe Down, Pipsqueak, Propaganda, Rangeen, Red Filigree, Saibā Oni, Sakkaku, Silver, Stalker, Strats, Surfwood, Tatter, Tornado, Toybox, Ultraviolet, Whitefish"},
	{"MP7", "SMG", "Abyssal Apparition, Akoben, Amberline, Anodized Navy, Armor Core, Army Recon, Asterion, Bloodsport, Cirrus, Cobalt, Fade, Forest DDPAT, Full Stop, Guerrilla, Gunsmoke, Impire, Just Smile, Mischief, Motherboard, Nemesis, Neon Ply, Ocean Foam, Olive Plaid, Orange Peel, Powercore, Prey, Scorched, Short Ochre, Skulls, Special Delivery, Sunbaked, Tall Grass, Teal Blossom, Urban Hazard, Vault Heist, Whiteout"},
	{"MP5-SD", "SMG", "Acid Wash, Agent, Autumn Twilly, Bamboo Garden, Co-Processor, Condition Zero, Desert Strike, Dirt Drop, Focus, Gauss, Kitbash, Lab Rats, Lime Hex, Liquidation, Necro Jr., Nitro, Oxide Oasis, Phosphor, Savannah Halftone, Statics"},
	{"UMP-45", "SMG", "Arctic Wolf, Blaze, Bone Pile, Briefing, Caramel, Carbon Fiber, Corporal, Crime Scene, Crimson Foil, Day Lily, Delusion, Exposure, Facility Dark, Fade, Fallout Warning, Full Stop, Gold Bismuth, Grand Prix, Gunsmoke, Houndstooth, Indigo, Labyrinth, Metal Flowers, Minotaur's Labyrinth, Momentum, Moonrise, Mudder, Oscillator, Plastique, Primal Saber, Riot, Roadblock, Scaffold, Scorched, Urban DDPAT, Wild Child"},
	{"P90", "SMG", "Ancient Earth, Ash Wood, Asiimov, Attack Vector, Astral Jörmungandr, Baroque Red, Blind Spot, Chopper, Cocoa Rampage, Cold Blooded, Death Grip, Death by Kitty, Desert DDPAT, Desert Warfare, Elite Build, Emerald Dragon, Facility Negative, Fallout Warning, Freight, Glacier Mesh, Grim, Leather, Module, Nostalgia, Off World, Run and Hide, Schematic, ScaraB Rush, Shallow Grave, Shapewood, Storm, Straight Dimes, Sunset Lily, Teardown, Traction, Trigon, Vent Rush, Virus, Wash me"},
	{"PP-Bizon", "SMG", "Anolis, Antique, Bamboo Print, Blue Streak, Brass, Breaker Box, Candy Apple, Carbon Fiber, Chemical Green, Cobalt Halftone, Embargo, Facility Sketch, Forest Leaves, Fuel Rod, Harvester, High Roller, Irradiated Alert, Judgement of Anubis, Jungle Slipstream, Lumen, Modern Hunter, Night Ops, Night Riot, Osiris, Photic Zone, Rust Coat, Runic, Sand Dashed, Seabird, Space Cat, Thermal Currents, Urban Dashed, Water Sigil"},
	{"Nova", "Shotgun", "Antique, Army Sheen, Baroque Orange, Blaze Orange, Bloomstick, Candy Apple, Clear Polymer, Dark Sigil, Exo, Forest Leaves, Ghost Camo, Gila, Graphite, Green Apple, Hyper Beast, Interlock, Koi, Mandrel, Modern Hunter, Moon in Libra, Ocular, Plume, Polar Mesh, Predator, Quick Sand, Rain Station, Red Quartz, Rising Skull, Rising Sun, Rust Coat, Sobek's Bite, Tempest, Toy Soldier, Walnut, Wild Six, Windblown, Wood Fired, Yorkshire"},
	{"XM1014", "Shotgun", "Ancient Lore, Banana Leaf, Black Tie, Blaze Orange, Blue Spruce, Blue Tire, Bone Machine, CaliCamo, Canvas Cloud, Charter, Elegant Vines, Entombed, Fallout Warning, Frost Borre, Grassland, Halftone Shift, Heaven Guard, Hieroglyph, Incinegator, Irezumi, Jungle, Mockingbird, Monster Melt, Oxide Blaze, Quicksilver, Red Leather, Red Python, Scumbria, Seasons, Slipstream, Solitude, Teclu Burner, Tranquility, Urban Perforated, VariCamo Blue, Watchdog, XOXO, Ziggy, Zombie Offensive"},
	{"MAG-7", "Shotgun", "BI83 Spectrum, Bulldozer, Carbon Fiber, Chainmail, Cinquedea, Cobalt Core, Copper Coated, Core Breach, Counter Terrace, Firestarter, Foresight, Hard Water, Hazard, Heat, Heaven Guard, Insomnia, Irradiated Alert, Justice, Memento, Metallic DDPAT, Monster Call, Navy Sheen, Petroglyph, Popdog, Praetorian, Prism Terrace, Resupply, Rust Coat, SWAG-7, Seabird, Silver, Sonar, Storm, Supercharged, Wildwood"},
	{"Sawed-Off", "Shotgun", "Amber Fade, Analog Input, Apocalypto, Bamboo Shadow, Black Sand, Brake Light, Clay Ambush, Copper, Devourer, First Class, Forest DDPAT, Fubar, Full Stop, Highwayman, Irradiated Alert, Jungle Thicket, Kiss♥Love, Limelight, Morris, Mosaico, Orange DDPAT, Origami, Parched, Rust Coat, Sage Spray, Serenity, Snake Camo, Spirit Board, The Kraken, Wasteland Princess, Yorkshire, Zander"},
	{"M249", "Machinegun", "Aztec, Blizzard Marbleized, Contrast Spray, Deep Relief, Downtown, Emerald Poison Dart, Gator Mesh, Humidor, Impact Drill, Magma, Midnight Palm, Nebula Crusader, O.S.I.P.R., Predator, Shipping Forecast, Spectre, Spectrogram, Submerged, System Lock, Warbird"},
	{"Negev", "Machinegun", "Anodized Navy, Army Sheen, Boroque Sand, Bratatat, Bulkhead, CaliCamo, Dazzle, Desert-Strike, Drop Me, Infrastructure, Lionfish, Loudmouth, Man-o'-war, MjÖlnir, Nuclear Waste, Palm, Phoenix Stencil, Power Loader, Prototype, Sour Grapes, Terrain, Ultralight, Wall Bang, dev_texture"},
	{"Zeus x27", "Equipment", "Olympus, Dragon Snore, Electric Blue, Earth Mover, Swamp DDPAT, Tosai, Charged Up"},
}

// commonFinishes fill up the weapons above. The first are patterns painted on
// nearly everything; the rest is put together from two words.
const commonFinishes = "Army Mesh, Ash Camo, Bamboo Thicket, Birch Grove, Blue Steelwork, Brush Stroke, Coastal DDPAT, Desert Mesh, Dune Sea, Faded Denim, Forest DDPAT, Frozen Creek, Granite, Green Marine, Grey Fleck, Jungle Spray, Knitted Wool, Leaf Litter, Mossy Stone, Night Stripe, Olive Polycam, Polar Mesh, Rusted Hull, Sand Spray, Scorched, Sea Glass, Snow Drift, Steel Wool, Urban Masked, Winter Tactical"

const (
	finishAdjectives = "Amber, Ancient, Arctic, Ashen, Azure, Broken, Burning, Carbon, Cobalt, Copper, Crimson, Crystal, Distant, Electric, Emberlit, Feral, Frosted, Gilded, Glass, Hollow, Infrared, Iron, Ivory, Jade, Lunar, Midnight, Molten, Neon, Onyx, Painted, Phantom, Quiet, Restless, Royal, Scarlet, Silent, Solar, Static, Tidal, Twisted, Velvet, Verdant, Violet, Wired"
	finishNouns      = "Ambush, Anthem, Arcade, Bloom, Cascade, Cipher, Circuit, Comet, Coral, Current, Drift, Echo, Falcon, Fathom, Forge, Garden, Glyph, Harbor, Horizon, Hunt, Jackal, Lantern, Lattice, Mantis, Mirage, Moth, Omen, Orchid, Paradox, Pulse, Raven, Relic, Ritual, Rose, Serpent, Signal, Spire, Storm, Thorn, Tide, Voyage, Warden, Wolf, Zephyr"
)

// grails are finishes whose price has left the others far behind: dollars for
// the Field-Tested one. They have no StatTrak™ or Souvenir version here.
var grails = map[string]int64{
	"AK-47 | Wild Lotus":             6400,
	"AK-47 | Gold Arabesque":         1900,
	"AK-47 | Fire Serpent":           950,
	"AWP | Dragon Lore":              7200,
	"AWP | Gungnir":                  8100,
	"AWP | Medusa":                   2600,
	"AWP | The Prince":               1500,
	"AWP | Desert Hydra":             1300,
	"M4A4 | Howl":                    3900,
	"M4A4 | Poseidon":                780,
	"M4A1-S | Welcome to the Jungle": 1100,
	"M4A1-S | Hot Rod":               900,
	"Glock-18 | Fade":                1250,
	"Desert Eagle | Blaze":           520,
}

// knives are the ★ items. Price is in dollars for a plain Field-Tested one.
var knives = []struct {
	name           string
	price          int64
	doppler, gamma bool
}{
	{"Bayonet", 290, true, true},
	{"Bowie Knife", 165, true, true},
	{"Butterfly Knife", 1050, true, true},
	{"Classic Knife", 240, false, false},
	{"Falchion Knife", 150, true, true},
	{"Flip Knife", 230, true, true},
	{"Gut Knife", 120, true, true},
	{"Huntsman Knife", 160, true, true},
	{"Karambit", 780, true, true},
	{"Kukri Knife", 140, false, false},
	{"M9 Bayonet", 640, true, true},
	{"Navaja Knife", 105, true, false},
	{"Nomad Knife", 260, true, false},
	{"Paracord Knife", 150, true, false},
	{"Shadow Daggers", 110, true, true},
	{"Skeleton Knife", 330, true, false},
	{"Stiletto Knife", 310, true, false},
	{"Survival Knife", 145, true, false},
	{"Talon Knife", 480, true, false},
	{"Ursus Knife", 190, true, false},
}

const knifeFinishes = "Autotronic, Black Laminate, Blue Steel, Boreal Forest, Bright Water, Case Hardened, Crimson Web, Damascus Steel, Fade, Forest DDPAT, Freehand, Lore, Marble Fade, Night, Night Stripe, Rust Coat, Safari Mesh, Scorched, Slaughter, Stained, Tiger Tooth, Ultraviolet, Urban Masked"

// phases of the two families of Doppler, and how much dearer than Phase 1 each
// of them is, in millionths.
var phases = map[string][]phase{
	"Doppler": {
		{"Phase 1", 1_000_000}, {"Phase 2", 1_160_000}, {"Phase 3", 960_000}, {"Phase 4", 1_070_000},
		{"Ruby", 4_300_000}, {"Sapphire", 4_900_000}, {"Black Pearl", 4_100_000},
	},
	"Gamma Doppler": {
		{"Phase 1", 1_000_000}, {"Phase 2", 1_090_000}, {"Phase 3", 950_000}, {"Phase 4", 1_030_000},
		{"Emerald", 4_600_000},
	},
}

type phase struct {
	name  string
	ratio int64
}

var gloves = []struct{ name, finishes string }{
	{"Bloodhound Gloves", "Bronzed, Charred, Guerrilla, Snakebite"},
	{"Broken Fang Gloves", "Jade, Needle Point, Unhinged, Yellow-banded"},
	{"Driver Gloves", "Black Tie, Convoy, Crimson Weave, Diamondback, Imperial Plaid, King Snake, Lunar Weave, Overtake, Queen Jaguar, Racing Green, Rezan the Red, Snow Leopard"},
	{"Hand Wraps", "Arboreal, Badlands, CAUTION!, Cobalt Skulls, Constrictor, Desert Shamagh, Duct Tape, Giraffe, Leather, Overprint, Slaughter, Spruce DDPAT"},
	{"Hydra Gloves", "Case Hardened, Emerald, Mangrove, Rattler"},
	{"Moto Gloves", "3rd Commando Company, Blood Pressure, Boom!, Cool Mint, Eclipse, Finish Line, Polygon, POW!, Smoke Out, Spearmint, Transport, Turtle"},
	{"Specialist Gloves", "Buckshot, Crimson Kimono, Crimson Web, Emerald Web, Fade, Field Agent, Forest DDPAT, Foundation, Lt. Commander, Marble Fade, Mogul, Tiger Strike"},
	{"Sport Gloves", "Amphibious, Arid, Big Game, Bronze Morph, Hedge Maze, Nocts, Omega, Pandora's Box, Scarlet Shamagh, Slingshot, Superconductor, Vice"},
}

// Double spaces and letters from beyond ASCII are part of some true names.
const (
	agents = "'Blueberries' Buckshot | NSWC SEAL, 'Medium Rare' Crasswater | Guerrilla Warfare, 'The Doctor' Romanov | Sabre, 'Two Times' McCoy | TACP Cavalry, 'Two Times' McCoy | USAF TACP, 1st Lieutenant Farlow | SWAT, 3rd Commando Company | KSK, B Squadron Officer | SAS, Bio-Haz Specialist | SWAT, Blackwolf | Sabre, Bloody Darryl The Strapped | The Professionals, Buckshot | NSWC SEAL, Chef d'Escadron Rouchard | Gendarmerie Nationale, Chem-Haz Capitaine | Gendarmerie Nationale, Chem-Haz Specialist | SWAT, Cmdr. Davida 'Goggles' Fernandez | SEAL Frogman, Cmdr. Frank 'Wet Sox' Baroud | SEAL Frogman, Cmdr. Mae 'Dead Cold' Jamison | SWAT, Col. Mangos Dabisi | Guerrilla Warfare, Crasswater The Forgotten | Guerrilla Warfare, D Squadron Officer | NZSAS, Dragomir | Sabre, Dragomir | Sabre Footsoldier, Elite Trapper Solman | Guerrilla Warfare, Enforcer | Phoenix, Getaway Sally | The Professionals, Ground Rebel  | Elite Crew, Jungle Rebel | Elite Crew, Lieutenant 'Tree Hugger' Farlow | SWAT, Lieutenant Rex Krikey | SEAL Frogman, Lt. Commander Ricksaw | NSWC SEAL, Markus Delrow | FBI HRT, Maximus | Sabre, Michael Syfers  | FBI Sniper, Mr. Muhlik | Elite Crew, Number K | The Professionals, Officer Jacques Beltram | Gendarmerie Nationale, Operator | FBI SWAT, Osiris | Elite Crew, Primeiro Tenente | Brazilian 1st Battalion, Prof. Shahmat | Elite Crew, Rezan The Ready | Sabre, Rezan the Redshirt | Sabre, Safecracker Voltzmann | The Professionals, Seal Team 6 Soldier | NSWC SEAL, Sergeant Bombson | SWAT, Sir Bloody Loudmouth Darryl | The Professionals, Slingshot | Phoenix, Soldier | Phoenix, Sous-Lieutenant Medic | Gendarmerie Nationale, Special Agent Ava | FBI, Street Soldier | Phoenix, The Elite Mr. Muhlik | Elite Crew, Trapper | Guerrilla Warfare, Trapper Aggressor | Guerrilla Warfare, Vypa Sista of the Revolution | Guerrilla Warfare"

	charms = "Baby's AK, Backsplash, Big Kev, Biomech, Butane Buddy, Chicken Lil', Clubhouse, Diamond Dog, Die-cast AK, Diner Dog, Disco MAC, Dr. Brian, Glamour Shot, Glitter Bomb, Hot Hands, Hot Howl, Hot Sauce, Hot Wurst, Lil' Ava, Lil' Cap Gun, Lil' Chirp, Lil' Crass, Lil' Ferno, Lil' Monster, Lil' Moments, Lil' Prick, Lil' SAS, Lil' Sandy, Lil' Serpent, Lil' Squatch, Lil' Squirt, Lil' Teacup, Lil' Vino, Lil' Whiskers, Lil' Zen, Piñatita, Pocket AWP, Pocket Pop, POP Art, Semi-Precious, Splatter Cat, Stitch-Loaded, That's Bananas, Titeenium AWP, Whittle Knife"

	containers = "Chroma Case, Chroma 2 Case, Chroma 3 Case, Clutch Case, CS20 Case, CS:GO Weapon Case, CS:GO Weapon Case 2, CS:GO Weapon Case 3, Danger Zone Case, Dreams & Nightmares Case, eSports 2013 Case, eSports 2013 Winter Case, eSports 2014 Summer Case, Falchion Case, Fever Case, Fracture Case, Gallery Case, Gamma Case, Gamma 2 Case, Glove Case, Horizon Case, Huntsman Weapon Case, Kilowatt Case, Operation Bravo Case, Operation Breakout Weapon Case, Operation Broken Fang Case, Operation Hydra Case, Operation Phoenix Weapon Case, Operation Riptide Case, Operation Vanguard Weapon Case, Operation Wildfire Case, Prisma Case, Prisma 2 Case, Recoil Case, Revolution Case, Revolver Case, Shadow Case, Shattered Web Case, Snakebite Case, Spectrum Case, Spectrum 2 Case, Winter Offensive Weapon Case, Sticker Capsule, Sticker Capsule 2, Community Sticker Capsule 1, 10 Year Birthday Sticker Capsule, Half-Life: Alyx Sticker Capsule, Sugarface 2 Capsule, Warhammer 40`000 Sticker Capsule, Chicken Capsule, Slid3 Capsule, Team Roles Capsule, CS:GO Case Key, Ruby Map Coin"

	musicKits = "Austin Wintory, Desert Fire; AWOLNATION, I Am; bbno$, u mad!; Beartooth, Disgusting; Daniel Sadowski, Crimson Assault; Darude, Moments CSGO; Dren, Death's Head Demolition; Feed Me, High Noon; Freaky DNA, Vici; Hundredth, FREE; Kelly Bailey, Hazardous Environments; Lennie Moore, Java Havana Funkaloo; Mateo Messina, For No Mankind; Matt Lange, IsoRhythm; Mord Fustang, Diamonds; Noisia, Sharpened; Proxy, Battlepack; Roam, Backbone; Sasha, LNOE; Scarlxrd, King Scar; Sean Murray, A*D*8; Skog, Metal; The Verkkars, EZ4ENCE; Troels Folmann, Uber Blasto Phone"

	patches = "Aces High, Alyx, Anchors Aweigh, Bayonet Frog, Black Mesa, Bloody Murder, Boom, Bravo, Chicken Lover, Copper Lambda, Crazy Banana, Dragon, Easy Peasy, Elder God, Giant, Gold Nova Crown, Health, Howl, Hydra, Koi, Lambda, Liberty Glow, Longevity, Master Guardian, Metal Distinguished Master Guardian, Metal Legendary Eagle, Phoenix, Rage, Silver Star, The Boss, Vanguard, Wildfire"

	graffiti      = "Banana, Blood Boiler, Cerberus, Chess King, Cocky, Crown, Death Sentence, Dizzy, Double, Drug War Veteran, EZ, Eco, Fire Serpent, GGEZ, GGWP, GTG, Heart, Hop, Howling Dawn, Jump Shot, Karambit, King Me, Kisses, Lambda, Lightning Bolt, Little EZ, Mr. Teeth, NaCl, Ninja, Noscope, OneTap, Piggles, Popdog, Quickdraw, R.I.P., Recoil Pink, Rising Skull, Sheriff, Smooch, Sorry, Speechless, Still Happy, Tag Wall, Tombstone, Toasted, Unicorn, Wings, X-Axes"
	graffitiPaint = "Battle Green, Bazooka Pink, Blood Red, Brick Red, Cash Green, Desert Amber, Dust Brown, Frog Green, Jungle Green, Monarch Blue, Monster Purple, Princess Pink, SWAT Blue, Shark White, Tiger Orange, Tracer Yellow, Violent Violet, War Pig Pink, Wire Blue"

	teams   = "3DMAX, 9INE, Apeks, Astralis, BIG, Cloud9, Complexity Gaming, Copenhagen Flames, ENCE, Eternal Fire, FaZe Clan, Fnatic, FURIA, G2 Esports, Heroic, HellRaisers, Imperial Esports, Liquid, LGB eSports, Lynn Vision, MIBR, MOUZ, Monte, Natus Vincere, Ninjas in Pyjamas, North, OG, Outsiders, paiN Gaming, Renegades, Sprout, Team Dignitas, Team EnVyUs, Team Spirit, The MongolZ, Titan, Virtus.Pro, Vitality, Vox Eminor, iBUYPOWER"
	events  = "Katowice 2014, Cologne 2014, DreamHack 2014, Katowice 2015, Cologne 2015, Cluj-Napoca 2015, MLG Columbus 2016, Cologne 2016, Atlanta 2017, Krakow 2017, Boston 2018, London 2018, Katowice 2019, Berlin 2019, Stockholm 2021, Antwerp 2022, Rio 2022, Paris 2023, Copenhagen 2024, Shanghai 2024"
	players = "910, apEX, Ax1Le, b1t, blameF, Boombl4, broky, coldzera, cadiaN, chopper, device, donk, dupreeh, electroNic, EliGE, fallen, flameZ, frozen, gla1ve, GuardiaN, hobbit, HooXi, huNter-, iM, jabbi, jL, JACKZ, JOTA, karrigan, KennyS, KSCERATO, m0NESY, magixx, mezii, molodoy, NAF, nafany, NBK-, niko, NiKo, olofmeister, perfecto, rain, ropz, s1mple, sh1ro, siuhy, Skullz, Snappi, Spinx, stavn, sunPayus, torzsi, Twistzz, tabseN, Xyp9x, yuurih, ZywOo, zont1x"
	designs = "Battle Scarred, Bish Bosh, Blinky, Bolt Energy, Boom Blast, Bosh, Chi Bomb, Cheongsam, Clutch Or Kick, Crown, Doppler Poison Frog, Drug War, Ez Katka, Fast Banana, Fire Serpent, Flammable, Free Hugs, Get Clutched, Halo, Headless Chicken, Headshot Guarantee, Hello AK-47, Howling Dawn, Karambit, King On The Field, Lambda, Martha, Merietta, Moon Rabbit, Nice Shot, Ninja Defuse, One Shot One Kill, Paper, Pigeon Master, Poison Frog, Queen Of Pain, Rekt, Rice Bomb, Runtime, Shooting Star Return, Skull Lil Boney, Stone Scales, Swag, Taste Buddy, Teamwork, Terrorized, This Is Fine, Thug Life, Toy Tiger, Unicorn, Vigilance, Virus, War, Web Stuck, Welcome to the Clutch, Winged Defuser, Workout, Xantares"
)

// Other games: enough names that a second game can be tried.
const (
	rustAdjectives = "Abyss, Alien, Arctic, Azul, Blackout, Brutalist, Chrome, Corsair, Digital, Dragon, Forest, Glory, Hazmat, Holosight, Jungle, Lunar, Neon, No Mercy, Nomad, Outlaw, Phantom, Rogue, Royal, Rusty, Tempered, Toxic, Urban, Void, Wasteland, Whiteout"
	rustThings     = "AK47, Armored Door, Bandana, Bolt Rifle, Boots, Facemask, Garage Door, Gloves, Helmet, Hoodie, LR300, Large Box, MP5, Pants, Pick Axe, Poncho, Roadsign Vest, Rock, Sheet Metal Door, Sleeping Bag, Thompson, Vest"

	dotaQualities = "Exalted, Inscribed, Genuine, Autographed, Frozen"
	dotaThings    = "Arcana of the Abyss, Balance of the Bladekeeper, Bladeform Legacy, Blades of Voth Domosh, Bow of the Wild, Cape of the Howling Wolf, Claw of the Nether, Compass of the Rising Gale, Demon Eater, Dragonclaw Hook, Drums of the Steppe, Ethereal Flame Offering, Feast of Abscession, Fiery Soul of the Slayer, Flockheart's Gamble, Fractal Horns of Inner Abysm, Frost Avalanche, Great Sage's Reckoning, Helm of the Tyrant, Lance of the Sunwarrior, Mace of Aeons, Magus Apex, Manifold Paradox, Mantle of the Cinder Baron, Mask of the Demon Trickster, Planetfall, Scythe of Ka, Shards of Exile, Staff of Gun-Yu, Swine of the Sunken Galley, Tempest Helm of the Thundergod, The Chronomancer, The Magus Cypher, Timebreaker, Tome of Pigments, Unusual Baby Roshan, Vigil Odyssey, Weather Ash, World Chasm Artifact, Zeal of the Omoz Arcanum"

	tf2Qualities = "Strange, Vintage, Genuine, Unusual, Collector's, Haunted"
	tf2Paints    = "Bogtrotter Mk.II, Civic Duty Mk.II, Dragon Slayer, Macabre Web, Nutcracker Mk.II, Pumpkin Pied"
	tf2Things    = "A Color Similar to Slate, Ambassador, Australium Rocket Launcher, Batter's Helmet, Black Box, Bonk Boy, Brigade Helm, Burning Flames Team Captain, Camera Beard, Degreaser, Direct Hit, Earbuds, Escape Plan, Flare Gun, Force-A-Nature, Ghastly Gibus, Gunboats, Huntsman, Jarate, Killer Exclusive, Kritzkrieg, Loch-n-Load, Mann Co. Cap, Max's Severed Head, Medi Gun, Minigun, Modest Pile of Hat, Non-Violent Apron, Phlogistinator, Rescue Ranger, Rocket Launcher, Scattergun, Sniper Rifle, Soldier's Stash, Stainless Pot, Team Captain, Tough Guy's Toque, Ubersaw, Wrangler, Your Eternal Reward"
)
