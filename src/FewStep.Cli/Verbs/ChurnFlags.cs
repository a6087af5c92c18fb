namespace FewStep.Cli.Verbs;

/// <summary><c>--s-churn</c> and its companions: EDM's stochastic sampling.</summary>
internal sealed class ChurnFlags
{
    private readonly Option<double> _churn = Number(
        "--s-churn", "Adds noise before each step, as EDM's stochastic sampler does; for one-step solvers. 0 adds none.", 0);
    private readonly Option<double> _minimum = Number("--s-min", "Smallest noise level at which noise is added.", 0);
    private readonly Option<double?> _maximum = Flag.Optional<double?>(
        "--s-max", "Largest noise level at which noise is added; left out, there is no limit.", "number");
    private readonly Option<double> _noise = Number(
        "--s-noise", "Standard deviation of the added noise in units of what the level needs; EDM takes 1.003 to 1.007.", 1);

    public IEnumerable<Option> All => [_churn, _minimum, _maximum, _noise];

    /// <summary>What was asked for; null where no noise is added.</summary>
    public StochasticChurn? Read(ParseResult parsed)
    {
        double amount = parsed.GetValue(_churn);
        if (amount == 0)
        {
            OptionValues.RefuseIdle(parsed, [_minimum, _maximum, _noise], "--s-churn above 0");
            return null;
        }

        return new StochasticChurn
        {
            Amount = amount,
            MinimumSigma = parsed.GetValue(_minimum),
            MaximumSigma = parsed.GetValue(_maximum),
            NoiseScale = parsed.GetValue(_noise)
        };
    }

    private static Option<double> Number(string name, string description, double usual) => Flag.Of(name, description, usual, "number");
}
