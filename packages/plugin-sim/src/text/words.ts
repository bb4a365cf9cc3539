/** First sentence of every answer: nobody should mistake this for a model. */
export const opening = 'This is a simulated answer: no language model has read the question.'

/** What the rest is made of. Some are not ASCII, so that every reader meets characters of two, three and four bytes. */
export const words: readonly string[] = (
  'anchor ballast bay beam berth board bow bridge buoy cabin café cargo chart coast compass course crew current deck depth dock draught drift ' +
  'engine fathom fjörd flag float fog freight gale gauge harbour haul heading heavy helm hold hull island jetty keel knot ladder lamp lantern ' +
  'latitude launch line load locker log longitude mast mate mooring naïve navigator ocean passage pier pilot plimsoll port quay quiet rail ' +
  'reef rigging river rope route rudder sail salt sea shallow shelter ship shore signal slow smooth sounding south star steady steam stern ' +
  'storm stowed surface swell tackle tanker tide timber tonnage tow Überfahrt vessel voyage watch water wave weather wharf wheel wind winter ' +
  'and the of a with over under beyond near against before after while through 灯台 🚢 ⚓'
).split(' ')
