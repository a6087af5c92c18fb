namespace FewStep.Solvers;

/// <summary>Order and options of one solver, held against what its family offers.</summary>
internal sealed class SolverSettings
{
    private readonly SolverFamily _family;
    private readonly SolverText _text;

    public SolverSettings(SolverFamily family, SolverText text)
    {
        (_family, _text) = (family, text);
        if (text.Order is int order && !family.Orders.Contains(order))
        {
            throw new InvalidInputException(family.Orders.IsEmpty
                ? $"Solver {family.Name} takes no order, but order {order} was asked for; leave it out."
                : $"Solver {family.Name} has no order {order}; it has {string.Join(", ", family.Orders)}.");
        }

        foreach (var (key, value) in text.Options)
        {
            var option = family.Options.FirstOrDefault(o => o.Key == key) ?? throw new InvalidInputException(family.Options.IsEmpty
                ? $"Solver {family.Name} has no options, but {SolverText.Shown(key)} was given; leave it out."
                : $"Solver {family.Name} has no option {SolverText.Shown(key)}; it has "
                    + $"{string.Join(", ", family.Options.Select(o => o.Key))}.");
            if (!Fits(option, value))
            {
                throw new InvalidInputException($"Solver {family.Name}: {key}={SolverText.Shown(value)} is not possible; {key} is "
                    + $"{option.Values.Replace("|", " or ", StringComparison.Ordinal)}.");
            }
        }
    }

    public int Order => _text.Order ?? _family.DefaultOrder ?? throw new InvalidOperationException($"Solver {_family.Name} has no orders.");
    public SolverPrediction Prediction => Value("predict") == "data" ? SolverPrediction.Data : SolverPrediction.Noise;
    public SolverCoefficients Coefficients => Value("coefficients") == "exact" ? SolverCoefficients.Exact : SolverCoefficients.Published;

    public bool Flag(string key) => Value(key) == "true";

    /// <summary>The value of a flag; null where it was not given.</summary>
    public bool? GivenFlag(string key) => _text.Options.TryGetValue(key, out string? value) ? value == "true" : null;

    public double Number(string key) => double.Parse(Value(key), CultureInfo.InvariantCulture);

    /// <summary>The value of an option, the default where it was left out.</summary>
    public string Value(string key)
        => _text.Options.TryGetValue(key, out string? value) ? value : _family.Options.Single(o => o.Key == key).Default;

    private static bool Fits(SolverOption option, string value) => option.Choices.IsEmpty
        ? double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= option.Minimum
            && number <= option.Maximum
        : option.Choices.Contains(value);
}
