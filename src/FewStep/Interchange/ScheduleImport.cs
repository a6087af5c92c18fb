using System.Text.RegularExpressions;

namespace FewStep.Interchange;

/// <summary>Reads schedules from lists of numbers as people and programs write them: with commas, semicolons, spaces or lines between them,
/// as a list of Python or C#, in a call or an option.</summary>
internal static partial class ScheduleImport
{
    private const int MostCharacters = 1 << 20;

    /// <summary>Reads a list of sigmas. A last zero becomes the terminal rule zero: a last denoise at the sigma before it.</summary>
    public static SamplingSchedule Sigmas(string text) => Parse(text).Sigmas();

    /// <summary>Reads a list of timesteps, after the last of which the sampler goes on to zero.</summary>
    public static SamplingSchedule Timesteps(string text, DiscreteVpNoise noise) => Parse(text).Timesteps(noise);

    /// <summary>Reads the numbers, and what the words around them say of them.</summary>
    public static ListedSchedule Parse(string text)
    {
        var numbers = Numbers(text);
        var flow = FlowTimesSaid().Match(text);
        ListedNumbers? kind = flow.Success ? ListedNumbers.FlowTimes
            : TimestepsSaid().IsMatch(text) ? ListedNumbers.Timesteps
            : text.Contains(DiffusersExport.RampWord, StringComparison.Ordinal) ? ListedNumbers.RampPlaces : null;
        double? shift = !flow.Groups[1].Success ? null
            : double.Parse(flow.Groups[1].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
        // diff-sampler's word for a last denoise
        bool denoises = kind is not null || numbers[^1] == 0 || text.Contains("denoise_to_zero=True", StringComparison.OrdinalIgnoreCase);
        return new ListedSchedule(numbers, kind, denoises, shift);
    }

    private static List<double> Numbers(string text)
    {
        if (text.Length > MostCharacters)
            throw new InvalidInputException($"A list of {text.Length} characters is longer than any schedule.");

        // Programs' words around a list hold numbers of their own (float32), so a list in brackets is taken alone.
        // With a number in them: new float[] { 80f, 1f } has two pairs.
        string[] brackets = [.. Brackets().Matches(text).Select(match => match.Value).Where(value => value.Any(char.IsAsciiDigit))];
        if (brackets.Length > 1)
            throw new InvalidInputException($"There are {brackets.Length} lists in brackets; give one.");
        string list = brackets is [var only] ? only[1..^1]
            : Quotes().Match(text) is { Success: true } quoted ? quoted.Groups[1].Value
            : Option().Replace(text, " ");
        RefuseDecimalCommas(list);
        string[] words = [.. list.Split([',', ';', ' ', '\t', '\r', '\n', '"', '\'', '='], StringSplitOptions.RemoveEmptyEntries)];
        var numbers = new List<double>();
        foreach (string word in words)
        {
            string plain = word.EndsWith('f') || word.EndsWith('F') ? word[..^1] : word;
            if (!double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || !double.IsFinite(number))
            {
                throw new InvalidInputException(
                    $"'{Printable.Line(word, 30)}', word {numbers.Count + 1} of the list, is no finite number with a decimal point.");
            }

            numbers.Add(number);
        }

        return numbers.Count is >= 2 and <= StandardSchedule.MaximumSteps + 2
            ? numbers
            : throw new InvalidInputException($"A schedule has 2 or more numbers; the list has {numbers.Count}.");
    }

    // Of 9,5; 4,3 and of 9,5 4,3 the commas are not what separates the numbers.
    private static void RefuseDecimalCommas(string list)
    {
        bool semicolons = list.Contains(';', StringComparison.Ordinal);
        string[] parts = [.. list.Split(semicolons ? [';'] : [' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Trim().Trim('"', '\'', ',')).Where(part => part.Length > 0)];
        if (parts.Length > 1 && (semicolons || parts.All(part => WholeOrComma().IsMatch(part)))
            && parts.FirstOrDefault(part => DecimalComma().IsMatch(part)) is { } wrong)
        {
            string plain = wrong.Replace(".", "", StringComparison.Ordinal).Replace(',', '.');
            throw new InvalidInputException($"'{Printable.Line(wrong, 30)}' in the list has a decimal comma: write numbers with a point, "
                + $"{Printable.Line(plain, 30)}{(semicolons ? "" : "; a comma between two numbers has a space after it")}.");
        }
    }

    // Without a digit inside: looking for one in brackets that are never closed takes time with the square of the text.
    [GeneratedRegex(@"\[[^\[\]]*\]|\{[^{}\[\]]*\}")]
    private static partial Regex Brackets();

    [GeneratedRegex(@"^[-+]?\d+(,\d+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex WholeOrComma();

    [GeneratedRegex(@"^[-+]?[\d.]*\d,\d+[fF]?$", RegexOptions.CultureInvariant)]
    private static partial Regex DecimalComma();

    [GeneratedRegex($@"{DiffusersExport.TimestepsWord}|\btimesteps\s*=")]
    private static partial Regex TimestepsSaid();

    // The shift that a scheduler applies to the list, where it is not 1. Bounded, for words that come again and again.
    [GeneratedRegex($@"{DiffusersExport.FlowTimesWord} t = [^\n]{{0,40}}?{DiffusersExport.ShiftWord}(?: of (\d+(?:\.\d+)?))?")]
    private static partial Regex FlowTimesSaid();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Quotes();

    // Options of command lines and names of variables before a list.
    [GeneratedRegex(@"--[A-Za-z_-]+|\b[A-Za-z_]+\s*=")]
    private static partial Regex Option();
}
