"""Phrases that praise or complain without a plain adjective of opinion."""

from __future__ import annotations

from sentiment.behaviour.templates import templates
from sentiment.behaviour.training.compose import combine
from sentiment.reviews.table import NEGATIVE, POSITIVE

_PRAISE = """
could not put it down
read it in one sitting
already booked the next one
worth every penny
money's worth and then some
kept me on the edge of my seat
had me in stitches
laughed until I cried
gave me goosebumps
took my breath away
lost track of time
did not want it to end
I could do it all over again
left with a big grin on my face
we are still talking about it
I have told all my friends about it
this one is a keeper
a must for every shelf
ticks all the boxes
hits the spot every time
does exactly what it says on the tin
works like a charm
runs like clockwork
fits like a glove
worked straight out of the box
saved my day
it made my week
best thing since sliced bread
I want a second one for my mother
ordered another one the same day
I use it every single day
don't know how I lived without it
should have bought it years ago
punches above its weight
sets the bar for everyone else
second to none
in a league of its own
head and shoulders above the rest
knocked it out of the park
nailed it
hit the nail on the head
they went the extra mile for us
nothing was too much trouble for them
we felt at home from the first minute
treated us like family
we got the royal treatment
they had us at hello
slept like a log there
licked the plate clean
my mouth waters just thinking of it
asked for seconds
melts in the mouth
I dream of that dessert
we cancelled our other plans to go back
we extended our stay
we will be back
same time next year, for sure
sign me up for the next one
count me in for the sequel
I binged all of it in two nights
watched it three times already
I pressed play again right after the credits
standing ovation from our row
you could hear a pin drop in the hall
two hours flew by
the time just flew
there was not a dry eye in the house
it stayed with me for days
it speaks to the heart
I found myself in every page
this will be on my desk for years
the pages turn themselves
stayed up until three to finish it
my kids fight over who gets it first
the children ask for it every night
even my grandfather, who never smiles, smiled
my dog went crazy for it
put a smile on my face
brightened up a grey day
it restored my faith in the trade
finally somebody who listens
they fixed it within the hour
they answered before I had even hung up
it arrived a day early, neatly packed
two years on and still going strong
it still looks like new
survived two kids and a dog
built to last
built like a tank
worth the detour
worth the wait
worth getting up early for
we walked out on cloud nine
it swept me off my feet
I am over the moon
I am hooked
count me as a convert
I take my hat off to them
chapeau
kudos to the whole crew
five stars from the whole family
if I could give six stars, I would
ten out of ten, would go again
no notes
shut up and take my money
take my money
run, don't walk
go and see for yourself, you will thank me
do yourself a favour and get it
drop everything and go
what are you waiting for, get it
it lives up to the hype
believe the hype
the hype is real
everything you could ask for
more than I had bargained for, in the best way
more bang for the buck than anywhere else
a steal at that price
easy on the wallet and big on taste
I would pay double
I would pay twice the price
I left a big tip
left a tip for the first time in years
hands down my number one
my go-to from now on
my new favourite
an instant favourite in our house
a classic in the making
it will go down in history
they don't make them like this any more
a feast for the eyes
music to my ears
a breath of fresh air
a sight for sore eyes
like a warm blanket on a cold day
like a holiday in two hours
it does the job, every time, without fuss
smooth sailing from check-in to landing
landed early, bags first on the belt
we were in our seats with a drink before take-off
set up in two minutes flat
even my mum can use it
I have never looked back
I would not part with it for anything
you will have to pry it from my hands
it grew on all of us
it won over the sceptics at our table
our table fell silent, everyone was busy eating
we cleaned every bowl
they have a customer for life
they earned my loyalty
I renewed for another year without thinking
signed up for the whole year
my daughter runs to class in the morning
my son finally looks forward to Mondays
I learned more there than in ten years of school
my grades went up within weeks
I walk past three others to get to this one
I drive an hour just for this
the queue around the block is there for a reason
the long line outside tells you all you need to know
it blew my mind
it blew me away
it knocked my socks off
I clapped until my hands hurt
I am counting the days until the next one
I could not stop smiling
chef's kiss
pure gold
love at first sight
lightning in a bottle
they poured their heart into it
every cent went into quality
no stone left unturned
it pays for itself
this is how it's done
now that is what I call a night out
""".strip().splitlines()

_COMPLAINT = """
I want those two hours back
fell asleep halfway
fell asleep before the end
left before the end
walked out after twenty minutes
gathering dust in a drawer
it sits in the attic now
straight into the bin
binned it
it went back the next day
sent it straight back
asked for my money back
still waiting for my refund
two weeks later still no reply
nobody picked up the phone
they hung up on me
I was on hold for an hour
they left us standing in the rain
they kept us waiting for three hours
they lost our bags and shrugged
our bags went to another country
stuck on the tarmac for four hours
missed my connection because of them
it gave up the ghost after a week
it broke on day one
broke in my hands
fell apart after one wash
it came in pieces
arrived in a thousand pieces
dead on arrival
it overheats and then shuts down
crashes every time I open it
froze in the middle of everything
ate my battery in an hour
it deleted all my photos
the update broke everything
I uninstalled it after five minutes
uninstalled
asks for your card before it shows you anything
all sizzle and no steak
all bark and no bite
not worth the paper it's printed on
not worth a cent
money down the drain
good money down the drain
daylight robbery
they saw us coming
fleeced
cost an arm and a leg and for what
they charged us twice
hidden fees everywhere
I have been had
you get nothing for your money
save your money
keep your wallet closed
save yourself the trouble
do not waste your evening
give it a miss
give this one a wide berth
steer clear
run for the hills
run away while you can
stay home instead
never again
once and never again
first and last time
that was our last visit
they have lost a customer
I cancelled the same day
I cancelled my subscription
never darkening that door again
over my dead body
I would rather watch paint dry
I would rather go to the dentist
like watching grass grow
like pulling teeth
I kept looking at my watch
checked the clock every five minutes
I counted the ceiling tiles
my phone was more interesting
half the audience was on their phones
half the hall was empty after the break
people were leaving in droves
my popcorn was the highlight
the best part was the credits
the best thing about it was the exit
the trailer was the whole thing
you have seen the trailer, you have seen it all
I saw the ending coming a mile off
I gave up after fifty pages
put it down after ten pages and never picked it up
could not get past the first chapter
I skipped to the end and still did not care
it goes nowhere
it goes round in circles
they phoned it in
they lost the plot
nobody seems to have read the script
it looks like it was made over a weekend
my five-year-old could do that
they could not be bothered
they could not care less
the staff looked right through us
we were invisible to the staff
they rolled their eyes when we asked
they talked over us
they treated us like dirt
they made us feel like a burden
the waiter forgot us twice
the soup had gone cold by the time it came
we found a hair in the soup
I found something moving in my salad
I was sick for two days afterwards
spent the night in the bathroom
we went for fries somewhere else afterwards
left hungry
I fed it to the dog, and he left it too
tasted like cardboard
tasted like the box it came in
I have had better from a vending machine
we did not get a wink of sleep
the walls are paper thin
the sheets had stains
there was mould in the shower
we checked out a day early
we moved to another place the same night
nothing like the photos
they must have photographed some other place
they promised the moon and gave us a stone
falls flat
fell flat on its face
it misses the mark
swing and a miss
a swing and a miss from start to finish
it does not do what it says on the tin
does half of what it says on the box
a lemon
a lump of plastic
a paperweight with a logo
a brick with a screen
a slap in the face
a bad joke
a joke without a punchline
adds insult to injury
it rubs salt in the wound
it leaves a sour taste
I have no words, and not in the nice way
my patience ran out
it tested my patience
I wanted to scream
made my blood boil
my blood pressure went through the roof
it drives me up the wall
I could have cried
I threw it across the room
I rolled my eyes so hard it hurt
I cringed from start to finish
it made my skin crawl
it made my ears bleed
it hurt to watch
who signed off on this
what were they thinking
how did this get past anyone
does anyone test this before they sell it
back to the drawing board
they should be paying us
they would have to pay me to go back
if I could give no stars, I would
zero stars if I could
one star because zero is not possible
one star is one too many
do not believe the hype
it does not live up to the hype
much ado about nothing
a storm in a teacup at full price
they cut every corner
they cut corners everywhere
held together with tape and hope
an accident waiting to happen
my daughter cries before class
my son learned nothing in a whole year
we pulled our kids out after a month
the teacher never once knew her name
the gym smells like old socks
I switched to another one the week after
I went back to my old one
I regret every minute
I rue the day I signed
the less said the better
hard pass
that's a no from me
nope, nope, nope
""".strip().splitlines()

_OPENERS = ("{so_what}:", "me and {name}:", "update:", "the {thing}?", "this {thing}:", "day {number}:",
"about the {thing}:",
            "my take:", "went to {place}:", "{thing} in {place}:", "all I can say:", "@{name}")  # fmt: skip
_FRAMES = ("<opener> <phrase>.", "<phrase>! {tag}", "<phrase>. {so_what}, that's it.")

IDIOMS = (
    *templates(POSITIVE, *combine("<phrase>.", phrase=_PRAISE)),
    *templates(POSITIVE, *combine(*_FRAMES, limit=130, opener=_OPENERS, phrase=_PRAISE)),
    *templates(NEGATIVE, *combine("<phrase>.", phrase=_COMPLAINT)),
    *templates(NEGATIVE, *combine(*_FRAMES, limit=130, opener=_OPENERS, phrase=_COMPLAINT)),
    # small differences that reverse the meaning
    *templates(
        POSITIVE,
        "I [could not put it down|had to force myself to pick it up].",
        "The time [flew|crawled] by in this {thing}.",
        "It [ended too soon|could not end soon enough].",
        "I was [wide awake|asleep] until the end.",
        "We stayed [longer than planned|not a minute longer than we had to].",
        "The {part} is [worth|not worth] the money.",
        "I [will be back|won't be back].",
        "It [lives up to|falls short of] its name.",
        "[Still in use|In the bin] after {number} days.",
        "The {thing} works [every time|whenever it feels like it].",
        "I told {name} to [get one too|stay well away].",
        "They [went out of their way|did not lift a finger] to help.",
        "My money was [well spent|wasted].",
        "You [get|don't get] what you pay for here.",
        "The {part} [does|does not do] what it promises.",
        "We [cheered|booed] at the end.",
        "I [can't wait for|dread] the next one.",
        "[All thriller, no filler|All filler, no thriller].",
        "{name} [smiled|sighed] all the way through the {thing}.",
        "The room was [spotless|filthy], and so was the {part}.",
    ),
)
