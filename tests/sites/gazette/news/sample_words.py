"""What load_articles writes its newspaper from: sections, people, and sentences with slots.

A slot such as {place} is filled from WORDS; within one article it always means the same thing.
"""

# (slug, name, description, accent)
SECTIONS = [
    ("town", "Town", "Streets, schools and neighbours.", "red"),
    ("politics", "Politics", "What the council decides, and who pays.", "blue"),
    ("business", "Business", "Shops, the port and the people who work there.", "amber"),
    ("science", "Science", "From the marine station and beyond.", "teal"),
    ("culture", "Culture", "Books, stages and screens.", "purple"),
    ("sport", "Sport", "Results, and how they came about.", "green"),
]

TAGS = {
    "town": ["Housing", "Schools", "Traffic", "Parks", "Heritage"],
    "politics": ["Council", "Budget", "Elections", "Planning", "Transport"],
    "business": ["Port", "Retail", "Jobs", "Tourism", "Energy"],
    "science": ["Sea", "Climate", "Health", "Wildlife", "Astronomy"],
    "culture": ["Theatre", "Music", "Books", "Film", "Museums"],
    "sport": ["Rowing", "Football", "Athletics", "Sailing", "Cycling"],
}

AUTHORS = [
    ("Ada", "Marchetti"),
    ("Bram", "Oosterhuis"),
    ("Carys", "Llewellyn"),
    ("Dmitri", "Halloran"),
    ("Esther", "Nakamura"),
    ("Farid", "Benali"),
    ("Greta", "Lindqvist"),
    ("Hugo", "Pemberton"),
    ("Ines", "Duarte"),
    ("Joseph", "Adeyemi"),
]

WORDS = {
    "place": [
        "the old harbour",
        "Mill Street",
        "Northgate",
        "the covered market",
        "Lighthouse Quay",
        "Ferry Lane",
        "the botanic garden",
        "Saint Brannoc’s Square",
        "the east pier",
        "Tannery Row",
        "the railway meadows",
        "Chapel Hill",
    ],
    "body": [
        "the planning committee",
        "the harbour board",
        "the residents’ association",
        "the county office",
        "the marine station",
        "the chamber of trade",
        "the school board",
        "the heritage trust",
    ],
    "person": [
        "Margaret Tull",
        "Owen Castellan",
        "Priya Raman",
        "Walter Finch",
        "Leila Haddad",
        "Tomasz Wilk",
        "Nora Espinosa",
        "Samuel Okafor",
        "Judith Vane",
        "Erik Dahlgren",
    ],
    "figure": ["one in five", "two thirds", "nearly half", "more than a third", "nine in ten"],
    "sum": ["£40,000", "£85,000", "£120,000", "£310,000", "£600,000", "£1.2 million"],
    "time": ["by spring", "before the summer", "within a year", "next month", "after the holidays"],
    "weekday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
    "season": ["spring", "summer", "autumn", "winter"],
    "years": ["three", "five", "eight", "ten", "twelve", "twenty"],
    "thing": ["playground", "cycle path", "library", "footbridge", "swimming pool", "bus stop"],
    "trade": ["boatyard", "bakery", "cannery", "ropeworks", "bookshop", "brewery"],
    "animal": ["seals", "terns", "oysters", "eels", "bats", "porpoises"],
    "study": ["tide gauges", "sea grass", "night skies", "salt marshes", "storm surges"],
    "work": ["play", "string quartet", "novel", "documentary", "exhibition", "song cycle"],
    "sport": ["rowers", "footballers", "sprinters", "sailors", "cyclists", "swimmers"],
    "rival": ["Saltmarch", "Kingsferry", "Overstrand", "Whitby Cross", "Port Maddock"],
}

# For each section: (headline, standfirst)
STORIES = {
    "town": [
        (
            "A new {thing} for {place}",
            "Work begins {time}. Neighbours asked for it {years} years ago; not all still want it.",
        ),
        (
            "Who looks after {place}?",
            "{figure} of those we asked did not know. {body} says that is about to change.",
        ),
        (
            "{place} to close for repairs this {season}",
            "Traffic goes round by the river road, and the {weekday} market moves.",
        ),
        (
            "The {thing} that {person} would not give up",
            "After {years} years and three petitions, the doors are open again.",
        ),
        (
            "Flood marks on {place} are higher than thought",
            "A walk with {person}, who has measured every one of them.",
        ),
        (
            "Night buses return to {place}",
            "Two lines, every forty minutes, paid for until {season}.",
        ),
    ],
    "politics": [
        (
            "Council votes for {place} plan",
            "The {thing} stays, the car park goes, and {sum} has to be found {time}.",
        ),
        (
            "{body} asks for {sum} more",
            "The treasurer calls the figures honest and the timing unfortunate.",
        ),
        (
            "{person} will not stand again",
            "The longest-serving member leaves {time}, with advice for whoever is next.",
        ),
        (
            "What the budget means for {place}",
            "Line by line: who gains, who waits, and where {sum} went.",
        ),
        (
            "Vote on {thing} put off to {weekday}",
            "{body} wants to see the drawings before it says yes.",
        ),
        (
            "Turnout rises in {place}",
            "{figure} of voters came, the most in {years} years.",
        ),
    ],
    "business": [
        (
            "The {trade} at {place} is hiring",
            "Orders are up, apprentices are scarce, and {person} has a plan.",
        ),
        (
            "{trade} changes hands after {years} years",
            "The new owner promises to keep the name, the staff and the dog.",
        ),
        (
            "Rents rise around {place}",
            "{figure} of shopkeepers think of moving. {body} suggests a cap.",
        ),
        (
            "Port has its best {season} in {years} years",
            "More ferries, fewer containers, and a queue for berths.",
        ),
        (
            "A {trade} that runs on the tide",
            "The turbine cost {sum} and should pay for itself sooner than expected.",
        ),
        (
            "{sum} for empty shops in {place}",
            "Four leases are signed already; the first doors open {time}.",
        ),
    ],
    "science": [
        (
            "Why the {animal} came back to {place}",
            "Cleaner water is half of the answer. The other half surprised the researchers.",
        ),
        (
            "What {study} tell us about the coming {season}",
            "{years} years of readings, one graph, and a careful forecast.",
        ),
        (
            "Counting {animal} in the dark",
            "A night out with {person} and forty volunteers.",
        ),
        (
            "Marine station wins {sum} to watch {study}",
            "The instruments go in {time}, off {place}.",
        ),
        (
            "The map of {study} is redrawn",
            "{figure} of the old readings were taken in the wrong place.",
        ),
        (
            "A doctor’s notes from {place}, read again",
            "Ledgers from the {trade} show how an epidemic moved through the town.",
        ),
    ],
    "culture": [
        (
            "A {work} about {place}",
            "{person} listened for a year before writing the first line.",
        ),
        (
            "{person} brings a new {work} to the Assembly Rooms",
            "Opening on {weekday}; the first week is sold out.",
        ),
        (
            "The {trade} that became a stage",
            "{figure} of the seats are second-hand, and every one has a story.",
        ),
        (
            "In praise of the unfinished {work}",
            "An archive at {place} shows what its author left out.",
        ),
        (
            "Museum buys the {place} letters",
            "It took {sum}, and a cake sale, to keep them in town.",
        ),
        (
            "What to see this {season}",
            "One {work}, two concerts and a walk to {place}.",
        ),
    ],
    "sport": [
        (
            "{sport} beat {rival} at last",
            "It had been {years} years. Nobody at {place} wanted to go home.",
        ),
        (
            "{person} to coach the {sport}",
            "The first training is on {weekday}, at six in the morning.",
        ),
        (
            "{rival} too strong for our {sport}",
            "A good first half, a bad second, and a lesson about {season} legs.",
        ),
        (
            "A home for the {sport} near {place}",
            "The club has {sum}, and needs as much again.",
        ),
        (
            "Record entry for the {season} regatta",
            "Crews from {rival} and beyond; {place} will be closed to traffic.",
        ),
        (
            "The {sport} who train before sunrise",
            "{person} on cold water, {years} years of it, and why it helps.",
        ),
    ],
}

SENTENCES = [
    "It began with a letter from {person}, who lives within sight of {place}.",
    "Few people expected the matter to come up again so soon.",
    "On {weekday} the doors opened at eight, and by nine there was a queue.",
    "The cost is put at {sum}, of which {figure} has been found.",
    "{body} said that it had been asked too late, and would answer {time}.",
    "“We have waited {years} years for this,” said {person}. “We can wait until {weekday}.”",
    "“It is not about the money,” {person} said. “It is about who is asked first.”",
    "Those who were there remember it differently.",
    "The minutes run to eleven pages and mention {place} nine times.",
    "A second opinion, paid for by {body}, came to much the same result.",
    "In {season} the light there is good until five, and people stay.",
    "The figures are not in dispute; what they mean is.",
    "Of those who answered our questions, {figure} were in favour.",
    "There is a drawing of it in the town hall, next to the one from {years} years ago.",
    "Not everybody is convinced.",
    "“Come and look at it when it rains,” {person} told us, so we did.",
    "The path from {place} was under water, and the bench had gone.",
    "A decision is expected {time}.",
    "Much depends on the weather, and on {body}.",
    "Until then the old rules hold.",
    "What happens next is a question of patience.",
    "Nobody we spoke to could name a town that had done it better.",
    "The answer, it turns out, had been in the archive all along.",
    "On paper it is simple.",
    "In practice it takes two signatures and a key that only {person} has.",
    "The work was done by volunteers, most of them retired, none of them in a hurry.",
    "Some of it can be seen from the ferry.",
    "Others point to Kingsferry, where the same thing was tried and quietly dropped.",
    "The first results were better than anybody had hoped.",
    "The last word has not been spoken.",
    "For now, {place} looks much as it always did.",
    "An earlier plan had foreseen half of that.",
    "It was {weekday} before the news reached {body}.",
    "They had coffee, a map and no agenda, and it went on until midnight.",
]

CORRECTIONS = [
    "An earlier version gave the wrong day for the meeting.",
    "The sum was first reported without tax.",
    "A name was misspelled; we apologise.",
    "The picture showed the west pier, not the east one.",
]

LINKS = [
    ("Minutes of the meeting", "https://www.example.org/minutes/"),
    ("The report in full", "https://www.example.org/report/"),
    ("A map of the area", "https://www.example.org/map/"),
    ("Figures since 1990", "https://www.example.org/figures/"),
]
