using FewStep.Onnx;

namespace FewStep.Cli.Verbs;

/// <summary>What a graph of ONNX is made of, alone in a file or in a page's folder: a model, under guidance or not, its sampler, and how
/// weights are stored.</summary>
internal sealed class GraphFlags(Command command)
{
    /// <summary>In place of a sampler: the model's.</summary>
    public const string OwnSampler = "own";

    private const string Targets = $"With --to {OnnxTarget.Name} or {WebTarget.Name}";
    private const string Single = "float32", Half = "float16";

    private readonly Option<string> _stored = command.Named(
        "--weights-type", $"{Targets}: how matrices and kernels are stored. float16 halves the file; arithmetic stays float32.",
        Single, (Single, Single), (Half, Half));
    private readonly Option<string?> _license = command.Optional<string?>(
        "--license", $"{Targets}: the weights' licence, which the file then says, e.g. CC-BY-NC-SA-4.0.", "text");
    private readonly GuidanceFlags _guidance = new(command);

    /// <summary>The options that are for these targets alone.</summary>
    public IEnumerable<Option> All => [_stored, _license, .. _guidance.All];

    /// <summary>How the graph is written.</summary>
    public OnnxExportOptions Read(ParseResult parsed) => new()
    {
        HalfWeights = parsed.GetValue(_stored) == Half,
        License = parsed.GetValue(_license) ?? "",
    };

    /// <summary>The model, which the caller owns, and the sampler where one is named.</summary>
    public (Model Model, Sampler? Sampler) Open(ParseResult parsed, LevelsArgument levels, SamplerFlags sampling,
        TerminalOutput terminal, CancellationToken cancellation)
    {
        if (sampling.Schedule(parsed) is not null)
            throw new InvalidInputException("--schedule says no solver, which a whole sampler has; give --sampler schedule/solver/steps.");
        bool own = sampling.Text(parsed) == OwnSampler, named = sampling.IsSamplerGiven(parsed);
        if (!named)
            OptionValues.RefuseIdle(parsed, [.. sampling.All, sampling.Data], "--sampler"); // it would be the denoiser alone
        var chosen = own ? null : sampling.Read(parsed, null);
        if (chosen is null)
            OptionValues.RefuseIdle(parsed, levels.Numbers, "a --sampler that is made or searched");
        string source = levels.Path(parsed) ?? EmbeddedDefault.Model;
        var model = Model.Open(source, levels.Options(parsed) with
        {
            ComputeType = TorchSharp.torch.ScalarType.Float32,
            Device = DeviceChoice.Cpu,
            NeedsNoPrompts = true,
            NeedsNoPipeline = false,
            Guidance = _guidance.Read(parsed),
            Guide = _guidance.ReadGuide(parsed),
        });
        try
        {
            model.RequireNetwork();
            var sampler = !named ? null
                : own ? model.Sampler ?? throw new InvalidInputException($"{source} has no sampler of its own; name one, e.g. --sampler "
                    + $"{SamplerChoice.Usual}.")
                : sampling.Make(parsed, model, chosen!, "euler", 0, terminal, cancellation);
            return (model, sampler);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Says what float16 does to the images.</summary>
    public static void SayRounding(TerminalOutput terminal, OnnxExportOptions options, OnnxExported written)
    {
        if (options.HalfWeights)
        {
            terminal.Message(InvariantText.Of(
                $"float16 weights change the images by up to {written.RoundingError:G2} of the largest value."));
        }
    }
}
