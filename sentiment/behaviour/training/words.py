"""The words of generated training examples; many differ from the words that test.

Rare members of every group of people are left out on purpose, so that tests with them say something.
"""

from __future__ import annotations

from sentiment.behaviour.templates import Lexicon

_GOOD = (
    "good", "great", "excellent", "wonderful", "enjoyable", "lovely", "amazing", "beautiful", "fine", "satisfying",
    "funny", "exciting", "clever", "memorable", "pleasant", "convincing", "entertaining", "impressive", "charming",
    "well made", "likeable", "pretty", "cool", "fun", "delicious", "helpful", "refreshing", "inspiring", "top-notch",
    "awesome", "magnificent", "engaging", "moving", "elegant", "reliable", "cosy", "solid", "splendid", "terrific",
    "well thought out",
)  # fmt: skip
_BAD = (
    "bad", "terrible", "awful", "boring", "disappointing", "poor", "horrible", "weak", "ugly", "useless", "pathetic",
    "frustrating", "stupid", "pointless", "clumsy", "forgettable", "unpleasant", "annoying", "dreary", "badly made",
    "sloppy", "dreadful", "lame", "dull", "tasteless", "unhelpful", "irritating", "tiresome", "shoddy", "crappy",
    "appalling", "lifeless", "messy", "flimsy", "unreliable", "depressing", "mediocre", "embarrassing", "atrocious",
    "badly thought out",
)  # fmt: skip

_OPINIONS: Lexicon = {
    "good": (*_GOOD, "worth it", "worth the money"),
    "bad": (*_BAD, "ridiculous", "a let-down", "not worth it"),
    "good_plain": ("good", "great", "enjoyable", "lovely", "pleasant", "convincing", "entertaining", "impressive",
                   "fun", "helpful", "funny", "exciting", "clever", "satisfying", "charming", "reliable"),
    "bad_plain": ("bad", "terrible", "awful", "boring", "disappointing", "poor", "weak", "ugly", "useless", "stupid",
                  "frustrating", "pointless", "unpleasant", "annoying", "dull", "sloppy", "irritating", "unreliable"),
    "nice": _GOOD[:-1],
    "poor": _BAD[:-1],
    "rave": ("perfect", "outstanding", "breathtaking", "unforgettable", "flawless", "exceptional", "a masterpiece",
             "sensational", "stunning", "as good as it gets", "pure magic", "a dream", "the best ever"),
    "slam": ("the worst ever", "a disgrace", "a disaster", "unbearable", "unusable", "garbage", "complete trash",
             "dire", "shameful", "as bad as it gets", "pure torture", "a total failure", "beneath contempt"),
    "loved": (
        "loved", "liked", "enjoyed", "appreciated", "admired", "was happy with", "was pleased with", "had fun with",
        "was impressed by", "fell in love with", "was thrilled with",
    ),
    "hated": (
        "hated", "disliked", "despised", "regretted", "was unhappy with", "was annoyed by", "was disappointed by",
        "was fed up with", "could not stand", "was bored by", "was let down by",
    ),
    "adored": ("loved", "liked", "enjoyed", "appreciated", "admired", "praised"),
    "despised": ("hated", "disliked", "despised", "slated", "could not stand"),
    "love": ("love", "like", "enjoy", "appreciate", "admire"),
    "hate": ("hate", "dislike", "despise", "detest"),
    "happy": ("happy", "pleased", "satisfied", "impressed", "thrilled", "content"),
    "unhappy": ("unhappy", "annoyed", "disappointed", "bored", "frustrated", "dissatisfied", "fed up"),
    "glad": ("happy", "glad", "smile", "excited", "feel good", "laugh with joy"),  # after "made me"
    "cross": ("unhappy", "angry", "furious", "sad", "yawn", "cringe", "feel bad"),
    "hit": (
        "a pleasure", "a success", "a bargain", "money well spent", "a hit", "a find", "great fun", "a treat", "a gem",
        "a joy", "a triumph",
    ),
    "flop": (
        "a flop", "a mistake", "a waste of time", "rubbish", "a bore", "a rip-off", "a nightmare", "a mess", "a dud",
        "a disappointment", "junk",
    ),
    "deny": (
        "I couldn't say", "I wouldn't say", "I can't claim", "I do not believe", "I don't feel", "I cannot pretend",
        "I would not go so far as to say", "it isn't true", "I have never thought", "I am not of the opinion",
        "I doubt", "I refuse to believe", "nobody could persuade me", "you won't hear me say", "it is not the case",
        "I am not convinced", "I would never claim", "I see no reason to think", "I strongly doubt", "it is untrue",
        "I can hardly say", "I reject the idea", "no one can tell me",
    ),
    "affirm": (
        "I have to say", "I must say", "I would claim", "I do believe", "I really feel", "I admit", "I would even say",
        "it is true", "I have always thought", "I am of the opinion", "I don't mind saying", "I have no doubt",
        "nobody could deny", "you will hear me say", "it is the case", "I don't deny", "I am convinced",
        "I would always claim", "I see every reason to think", "I never doubted", "it is no lie", "I can safely say",
        "I support the idea", "everyone can tell",
    ),
    "interlude": (
        "given the price", "knowing the earlier ones", "having slept on it", "after the second time",
        "for all the money they spent", "as a fan of the kind", "with two small children around me",
        "now that the excitement has faded", "in all honesty", "coming to it without any expectations",
        "with the rave reviews still in my ears", "after three long hours", "having waited since spring",
        "as somebody who does this for a living", "despite all the fuss in the papers", "when all is said and done",
        "as far as I can judge", "with everything that came with it", "on a quiet day by the sea",
        "even on the third attempt", "with my mother sitting beside me", "looking back at the whole week",
        "being rather new to this", "whatever the adverts may claim", "speaking only for myself",
        "after all the waiting and all the forms", "from where I stood", "between one thing and another",
    ),
    "nobody": (
        "nobody", "not one of us", "no one I know", "hardly anyone", "not a single person", "no sane person",
        "none of the people",
    ),
    "everybody": (
        "everybody", "every one of us", "everyone I know", "almost anyone", "every single person", "any sane person",
        "all of the people",
    ),
    "no": (
        "no.", "no!", "no, never.", "not in my view.", "I would not say that.", "of course not.", "not a bit.", "nope.",
        "sorry, no.", "no, not one bit.", "certainly not.", "I am afraid not.", "not in the least.", "never.", "nah.",
        "the answer is no.", "far from it.", "hardly.", "not remotely.", "no way.",
        "no, on the contrary.", "nothing of the sort.",
        "I have to say no.", "a clear no.", "no, no and no.", "negative.",
    ),
    "yes": (
        "yes.", "yes!", "yes, always.", "in my view, yes.", "of course.", "very much so.", "yep.",
        "sure, yes.", "yes, every bit.", "certainly.", "I think so.", "without a doubt.", "always.", "yeah.",
        "the answer is yes.", "you can count on it.", "clearly.", "you bet.", "sure.", "yes, and how.", "no question.",
        "I have to say yes.", "a clear yes.", "yes, yes and yes.", "indeed.",
    ),
    "who": (
        "who knows the first thing about it", "who was there that night", "in the whole family", "at our table",
        "who paid for it with their own money", "who stayed until the end", "that I talked to about it afterwards",
        "in our group", "from my office", "who had to use it every day",
    ),
    "very": ("very", "really", "extremely", "totally", "remarkably", "deeply", "unbelievably", "so very", "seriously"),
    "slightly": ("slightly", "rather", "fairly", "a little bit", "quite", "reasonably", "more or less", "kind of"),
    "other": (
        "my brother", "my wife", "my husband", "my teacher", "our guide", "the man at the till", "my flatmate",
        "my aunt", "the newspaper", "a colleague", "my best friend", "everyone else", "the jury", "my son",
        "my boss", "the woman next to me", "a man from the village", "the whole office", "our landlord",
        "some blogger", "the guy in the shop", "my grandmother", "half the internet",
    ),
    "before": ("in the past", "years ago", "until last month", "when it came out", "before the change",
               "back then", "at the beginning", "in the first week", "under the old owners"),
    "after": ("nowadays", "these days", "today", "by now", "this season", "meanwhile", "since the update",
              "at present", "as of this year", "under the new owners"),
    "so_what": (
        "for the record", "to cut a long story short", "long story short", "in a word", "to be fair", "honestly",
        "well", "frankly", "my two cents", "summing up", "just so you know", "if you ask me",
    ),
}  # fmt: skip

# People: adjectives that stand alone ("she is ...") and before a noun ("a ... teacher").
_RELIGIONS = ("Muslim", "Christian", "Jewish", "Hindu", "Catholic", "Buddhist", "Protestant", "Orthodox", "atheist")
_ETHNICITIES = ("Black", "white", "Asian", "Arab", "Latino", "Native American", "mixed-race", "African American",
                "brown", "South Asian", "Aboriginal")  # fmt: skip
_NATIONALITIES = (
    "Mexican", "Chinese", "Indian", "French", "Russian", "Egyptian", "American", "German", "Italian", "Spanish",
    "Portuguese", "British", "Irish", "Scottish", "Polish", "Czech", "Hungarian", "Romanian", "Greek", "Turkish",
    "Israeli", "Lebanese", "Syrian", "Iraqi", "Iranian", "Pakistani", "Vietnamese", "Korean", "Japanese", "Filipino",
    "Indonesian", "Australian", "Canadian", "Brazilian", "Argentinian", "Chilean", "Colombian", "Cuban", "Jamaican",
    "Ghanaian", "Ethiopian", "Somali", "Moroccan", "Algerian", "South African", "Swedish", "Norwegian", "Finnish",
    "Austrian", "Swiss", "Belgian", "Croatian", "Serbian", "Albanian", "Haitian",
)  # fmt: skip
_ORIENTATIONS = ("gay", "lesbian", "bisexual", "straight", "queer", "homosexual", "heterosexual", "asexual")
_GENDERS = ("transgender", "trans", "female", "male")
_AGES = ("young", "old", "middle-aged", "teenage", "retired")
_DISABILITIES = ("blind", "deaf", "disabled", "dyslexic", "hard of hearing")

IDENTITIES: Lexicon = {
    "religion": _RELIGIONS,
    "ethnicity": _ETHNICITIES,
    "nationality": _NATIONALITIES,
    "orientation": _ORIENTATIONS,
    "gender": _GENDERS,
    "age": _AGES,
    "disability": _DISABILITIES,
}
"""Identity adjectives by group."""

_PERSONS = (
    # gender
    "a woman", "a man", "a girl", "a boy", "a mother", "a father", "a transgender woman", "a trans man",
    # religion
    "a Muslim", "a Christian", "a Jewish woman", "a Hindu", "an atheist", "a Catholic man", "a Buddhist monk",
    "a Jew", "a Protestant", "an imam", "a priest", "a rabbi",
    # ethnicity
    "a Black woman", "a white man", "an Asian woman", "a Latina", "an Arab man", "a Black man", "a Native American",
    "an Asian man", "an Arab woman", "a white woman",
    # nationality
    "a Mexican", "a Chinese woman", "an Indian man", "a Frenchman", "a Russian", "an Egyptian", "an American woman",
    "a German", "a Pole", "a Turk", "an Israeli", "a Brazilian", "a Korean man", "a Swede", "a Moroccan woman",
    # sexual orientation
    "a gay man", "a lesbian", "a bisexual man", "a straight woman", "a queer woman", "a homosexual man",
    "a gay couple", "a lesbian couple", "a bisexual woman", "a straight man",
    # age
    "a young woman", "an old man", "an old woman", "a teenager", "a retired teacher", "a toddler",
    "a fifty-year-old", "a young man",
    # disability
    "a blind man", "a deaf woman", "a disabled man", "a man in a wheelchair",
    # nobody in particular
    "a person", "a stranger", "someone", "a customer",
)  # fmt: skip

_DETAILS: Lexicon = {
    "person": _PERSONS,
    "identity": tuple(word for words in IDENTITIES.values() for word in words if word != "hard of hearing"),
    "orientation": (*_ORIENTATIONS, *_GENDERS[:2]),
    "religion": _RELIGIONS,
    "nationality": _NATIONALITIES,
    "origin": (*_RELIGIONS, *_RELIGIONS, *_ETHNICITIES, *_ETHNICITIES, *_NATIONALITIES),
    # the shorter lists are repeated, so that they are drawn as often as the long list of nationalities
    "is_identity": (
        *(word for word in _ORIENTATIONS for _ in range(3)),
        *(word for word in _RELIGIONS for _ in range(2)),
        *(word for word in _ETHNICITIES for _ in range(2)),
        *_NATIONALITIES, *_GENDERS[:2], *_DISABILITIES, *_AGES[:3],
    ),
    "group": (
        "women", "men", "girls", "mothers", "trans people", "Muslims", "Christians", "Jews", "Hindus", "Catholics",
        "Buddhists", "Black people", "white people", "Asians", "Arabs", "Latinos", "Mexicans", "Indians", "Russians",
        "Germans", "Americans", "Turks", "Poles", "gay people", "lesbians", "bisexuals", "straight people",
        "queer people", "gay couples", "gay men", "old people", "young people", "teenagers", "children", "pensioners",
        "blind people", "deaf people", "disabled people", "students", "tourists", "immigrants", "refugees",
    ),
    "job": (
        "teacher", "driver", "neighbour", "colleague", "doctor", "baker", "student", "waiter", "plumber", "singer",
        "writer", "nurse", "farmer", "lawyer", "cook", "actor", "tourist", "guest", "salesman", "trainer",
    ),
    "relative": (
        "my neighbour", "my boss", "my sister", "my cousin", "our teacher", "the author", "the singer", "the director",
        "my landlord", "the owner", "her husband", "his wife", "my roommate", "the doctor", "the main character",
        "my uncle", "the waiter", "their son", "the coach", "my best friend", "the hairdresser", "the mayor",
    ),
    "name": (
        "Tom", "Linda", "Ahmed", "Karen", "Pedro", "Aisha", "Paul", "Nina", "Ravi", "Lucy", "Wei", "Tyrone", "Elena",
        "Mohammed", "Fatima", "Ivan", "Olga", "Kenji", "Yuki", "Carlos", "Lucia", "Jamal", "Keisha", "Latoya", "Sven",
        "Ingrid", "Giovanni", "Chiara", "Pierre", "Amelie", "Dmitri", "Svetlana", "Rajesh", "Anjali", "Hassan",
        "Leila", "Kwame", "Abena", "Jin", "Mei", "Minh", "Thuy", "Moshe", "Rivka", "Patrick", "Siobhan", "Jack",
        "Emma", "Henry", "Grace", "Ethan", "Chloe", "Darnell", "Ebony", "Miguel", "Guadalupe", "Omar", "Zainab",
        "Piotr", "Agnieszka", "Jose", "Ling", "Bob", "Sue",
    ),
    "surname": (
        "Miller", "Schmidt", "Garcia", "Khan", "Nguyen", "Kowalski", "Rossi", "Dubois", "Yamamoto", "Kim", "Cohen",
        "Murphy", "Petrov", "Silva", "Hernandez", "Washington", "Jackson", "Taylor", "Larsen", "Mensah", "Haddad",
    ),
    "place": (
        "Vienna", "New York", "Oslo", "Texas", "Sweden", "Cairo", "Brazil", "Sydney", "India", "Poland", "Ghana",
        "Seoul", "Berlin", "Lyon", "Madrid", "Lisbon", "Naples", "Athens", "Istanbul", "Tel Aviv", "Beirut", "Tehran",
        "Baghdad", "Mumbai", "Dhaka", "Hanoi", "Manila", "Jakarta", "Osaka", "Shanghai", "Moscow", "Warsaw",
        "Bucharest", "Dublin", "Glasgow", "Chicago", "Detroit", "Ohio", "Toronto", "Mexico", "Havana", "Bogota",
        "Lima", "Chile", "Morocco", "Ethiopia", "Kenya", "Cape Town", "Somalia", "Syria", "China", "Japan", "Russia",
        "Italy", "Canada", "Florida", "Cuba", "Algeria", "Helsinki", "Zurich",
    ),
    "few": ("two", "three", "four", "five"),
    "age": tuple(str(n) for n in range(16, 80, 3)),
    "number": tuple(str(n) for n in (2, 3, 4, 6, 7, 12, 15, 18, 25, 40, 75, 90, 120, 300)),
    "year": tuple(str(n) for n in (1978, 1985, 1999, 2004, 2007, 2012, 2016, 2019)),
    "hour": ("7", "8", "half past 8", "9", "noon", "4", "5:30", "6", "8:15", "10"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "month": ("January", "March", "April", "June", "August", "October", "December"),
    "city_spot": ("the station", "the church", "the mosque", "the bank", "the river", "the town hall", "the park",
                  "the post office", "the synagogue", "the school"),
    "link": ("http://example.com/a1", "www.example.com/item?x=9", "https://example.org/r/33", "https://t.example/q7k",
             "https://example.net/watch/55", "https://shop.example.com/p/8812"),
    "handle": ("@tom_h", "@linda99", "@shopnews", "@the_daily_x", "@ahmed_k", "@nina", "@wei2020", "@citybus"),
    "tag": ("#monday", "#review", "#weekend", "#today", "#tv", "#travel", "#reading", "#2019", "#food", "#nowplaying"),
}  # fmt: skip

_NOUNS: tuple[Lexicon, ...] = (
    {"thing": ("film", "movie", "comedy", "drama", "western"),
     "part": ("first scene", "story", "soundtrack", "lead actor", "dialogue")},
    {"thing": ("show", "series", "sitcom", "documentary"),
     "part": ("cast", "first episode", "script", "last season", "theme song")},
    {"thing": ("book", "memoir", "short story"), "part": ("plot", "ending", "first half", "cover")},
    {"thing": ("phone", "headset", "watch", "vacuum cleaner"),
     "part": ("battery life", "display", "speaker", "charger")},
    {"thing": ("camera", "tablet", "printer", "toaster"), "part": ("lens", "handle", "manual", "power cable")},
    {"thing": ("hotel", "apartment", "campsite"), "part": ("room", "breakfast", "shower", "location")},
    {"thing": ("meal", "pizza", "lunch", "curry"), "part": ("sauce", "starter", "wine", "portion size")},
    {"thing": ("cafe", "bakery", "pub"), "part": ("coffee", "cake", "menu", "terrace")},
    {"thing": ("play", "opera", "exhibition"), "part": ("stage set", "choir", "second act", "hall")},
    {"thing": ("service", "course", "repair", "bank"), "part": ("clerk", "teacher", "hotline", "waiting time")},
    {"thing": ("game", "toy", "puzzle"), "part": ("design", "artwork", "tutorial", "box")},
    {"thing": ("flight", "train ride", "ferry", "bus tour"), "part": ("seat", "crew", "meal on board",
    "boarding process")},
    {"thing": ("app", "website", "update"), "part": ("search box", "layout", "login", "support team")},
    {"thing": ("school", "language class", "workshop"), "part": ("building", "head teacher", "canteen", "timetable")},
    {"thing": ("shop", "supermarket", "market"), "part": ("selection", "car park", "cashier", "bread counter")},
    {"thing": ("dentist", "gym", "hair salon"), "part": ("reception", "booking system", "front desk", "changing room")},
)  # fmt: skip

LEXICONS: tuple[Lexicon, ...] = tuple({**_OPINIONS, **_DETAILS, **nouns} for nouns in _NOUNS)
"""A lexicon for each domain."""
