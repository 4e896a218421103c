//! Words of which the seeded world is made.

pub(super) const FIRST: [&str; 24] = [
    "Alice", "Bruno", "Chloe", "Daniel", "Elena", "Frank", "Grace", "Hugo", "Ines", "Jack", "Karim", "Laura",
    "Mei", "Noah", "Olga", "Pedro", "Quentin", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wade", "Zoë",
];

pub(super) const LAST: [&str; 20] = [
    "Adams", "Bell", "Castro", "Dubois", "Evans", "Fischer", "Garcia", "Huang", "Ivanova", "Jones",
    "Kowalski", "Lopez", "Müller", "Nguyen", "O'Brien", "Patel", "Rossi", "Schmidt", "Tanaka", "Weber",
];

pub(super) const QUEUES: [&str; 8] =
    ["Sales", "Support", "Billing", "Returns", "Reception", "Logistics", "Warranty", "Partners"];

pub(super) const TITLES: [&str; 6] = [
    "Account Executive",
    "Support Engineer",
    "Accountant",
    "Office Manager",
    "Recruiter",
    "Field Technician",
];

pub(super) const CITIES: [(&str, &str, &str); 6] = [
    ("Belmont", "CA", "94002"),
    ("Denver", "CO", "80014"),
    ("Charlotte", "NC", "28202"),
    ("Palo Alto", "CA", "94301"),
    ("Austin", "TX", "73301"),
    ("Boston", "MA", "02108"),
];

pub(super) const TEXTS: [&str; 8] = [
    "Running ten minutes late, sorry!",
    "Your parcel is at the front desk.",
    "Can you call me back about the invoice?",
    "Meeting moved to room 4.",
    "Thanks, that fixed it 👍",
    "Please confirm the appointment on Tuesday.",
    "Reply YES to confirm.",
    "The signed contract is in the mail.",
];
