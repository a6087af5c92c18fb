using System.Text.RegularExpressions;

namespace FewStep.Interchange;

/// <summary>Reads schedules from lists of numbers as people and programs write them: with commas, semicolons, spaces or lines between them,
/// as a list of Python or C#, in a call or an option.</summary>
internal static partial class ScheduleImport
{
    private const int MostCharacters = 1 << 20;

    /// <summary>Reads a list of sigmas. A last zero becomes the terminal rule zero: a last denoise at the sigma before it.</summary>
    public static SamplingSchedule Sigmas(string text)
    {
        var numbers = Numbers(text);
        bool zero = numbers[^1] == 0;
        bool denoise = zero || text.Contains("denoise_to_zero=True", StringComparison.OrdinalIgnoreCase); // diff-sampler's word for it
        return new SamplingSchedule(zero ? numbers.SkipLast(1) : numbers, denoise ? ScheduleTerminal.Zero : ScheduleTerminal.SigmaMin);
    }

    /// <summary>Reads a list of timesteps, after the last of which the sampler goes on to zero.</summary>
    public static SamplingSchedule Timesteps(string text, DiscreteVpNoise noise)
    {
        var numbers = Numbers(text);
        int last = noise.Sigmas.Length - 1;
        for (int i = 0; i < numbers.Count; i++)
        {
            if (!(numbers[i] >= 0) || !(numbers[i] <= last))
            {
                throw new InvalidInputException(
                    string.Create(CultureInfo.InvariantCulture, $"Timestep {i} is {numbers[i]:R}; those of {noise.Name} are 0 to {last}."));
            }
        }

        return new SamplingSchedule(numbers.Select(t => Sigma(t, noise)), ScheduleTerminal.Zero);
    }

    private static double Sigma(double time, DiscreteVpNoise noise)
    {
        int below = (int)Math.Floor(time);
        double rest = time - below;
        return rest == 0 ? noise.Sigmas[below]
            : Math.Exp(((1 - rest) * Math.Log(noise.Sigmas[below])) + (rest * Math.Log(noise.Sigmas[below + 1])));
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

    // Without a digit inside: looking for one in brackets that are never closed takes time with the square of the text.
    [GeneratedRegex(@"\[[^\[\]]*\]|\{[^{}\[\]]*\}")]
    private static partial Regex Brackets();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Quotes();

    // Options of command lines and names of variables before a list.
    [GeneratedRegex(@"--[A-Za-z_-]+|\b[A-Za-z_]+\s*=")]
    private static partial Regex Option();
}
