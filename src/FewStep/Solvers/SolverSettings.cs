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

    public int Order => _text.Order ?? _family.DefaultOrder ?? 1;

    /// <summary>The solver's name: the order always, an option where it changes what the solver does.</summary>
    public string Name => _family.Name + (_family.Orders.IsEmpty ? "" : InvariantText.Of($":{Order}"))
        + string.Concat(_family.Options.Where(Matters).Select(o => $":{o.Key}={Normal(o)}"));

    public SolverPrediction Prediction
        => Value(SolverOption.Predict.Key) == SolverOption.Predict.Default ? SolverPrediction.Data : SolverPrediction.Noise;

    public FinalOrder FinalOrder => Value(SolverOption.LowerOrderFinal.Key) switch
    {
        "true" => FinalOrder.OneAtLastStep,
        "denoise" => FinalOrder.OneAtDenoise,
        _ => FinalOrder.Full,
    };

    public bool IsExact => Value(SolverOption.Coefficients.Key) == "exact";

    /// <summary>Whether outputs are limited: with data prediction unless that is turned off, as in the reference implementation, and never
    /// with noise prediction.</summary>
    public bool Thresholds
    {
        get
        {
            string key = SolverOption.Thresholding.Key;
            if (_family.Options.All(o => o.Key != key))
                return false;
            if (Prediction == SolverPrediction.Data)
                return Value(key) == "true";
            return _text.Options.GetValueOrDefault(key) != "true" ? false : throw new InvalidInputException(
                $"Solver {_family.Name}: thresholding=true goes with predict=data only; leave one of them out.");
        }
    }

    public double Number(string key) => double.Parse(Value(key), NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>The value of an option, the default where it was left out.</summary>
    public string Value(string key)
        => _text.Options.TryGetValue(key, out string? value) ? value : _family.Options.Single(o => o.Key == key).Default;

    private static bool Fits(SolverOption option, string value) => option.Choices.IsEmpty
        ? double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= option.Minimum
            && number <= option.Maximum
        : option.Choices.Contains(value);

    private bool Matters(SolverOption option) => Normal(option) != option.Default && Order >= option.FromOrder
        && (option.Key != SolverOption.Thresholding.Key || Prediction == SolverPrediction.Data);

    private string Normal(SolverOption option) => option.Choices.IsEmpty ? InvariantText.Of($"{Number(option.Key):R}") : Value(option.Key);
}
