namespace FewStep.Cli.Verbs;

/// <summary><c>--s-churn</c> and its companions: EDM's stochastic sampling.</summary>
internal sealed class ChurnFlags(Command command)
{
    private readonly Option<double> _churn = command.Option<double>(
        "--s-churn", "Adds noise before each step, as EDM's stochastic sampler does; for one-step solvers. 0 adds none.", 0, "number");
    private readonly Option<double> _minimum = command.Option<double>(
        "--s-min", "Smallest noise level at which noise is added.", 0, "number");
    private readonly Option<double?> _maximum = command.Optional<double?>(
        "--s-max", "Largest noise level at which noise is added; left out, there is no limit.", "number");
    private readonly Option<double> _noise = command.Option<double>(
        "--s-noise", "Standard deviation of the added noise in units of what the level needs; EDM takes 1.003 to 1.007.", 1, "number");

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
}
