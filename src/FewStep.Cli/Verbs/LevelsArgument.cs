using System.CommandLine;
using FewStep.Denoising;
using FewStep.Platform;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary>The noise levels that a schedule is for, where no model is evaluated: a model's, or two numbers.</summary>
internal sealed class LevelsArgument
{
    private readonly Option<string?> _model = new("--model") { Description = "Model that the schedule is for; its noise levels are kept to.", HelpName = "model" };
    private readonly Option<double?> _low = new("--sigma-min") { Description = "In place of --model: smallest noise level of the model.", HelpName = "number" };
    private readonly Option<double?> _high = new("--sigma-max") { Description = "In place of --model: largest noise level of the model.", HelpName = "number" };
    private readonly ModelFlags _about = new();

    public IEnumerable<Option> All => [_model, _low, _high, .. _about.OnnxAlone];

    /// <summary>The options in place of a model.</summary>
    public IEnumerable<Option> Numbers => [_low, _high];

    /// <summary>Path of the model; null where none was named.</summary>
    public string? Model(ParseResult parsed) => parsed.GetValue(_model);

    /// <summary>The levels; null where nothing was said.</summary>
    /// <exception cref="InvalidInputException">The model cannot be read, or the numbers are out of range.</exception>
    public (double Low, double High)? Read(ParseResult parsed)
    {
        var (low, high) = (parsed.GetValue(_low), parsed.GetValue(_high));
        if (parsed.GetValue(_model) is string path)
        {
            if ((low ?? high) is not null)
            {
                throw new InvalidInputException("--model has noise levels of its own; leave --sigma-min and --sigma-max out.");
            }

            SharedOptions.PrepareTorch(0);
            using var model = SampledModel.OpenAny(path, null, _about.Read(parsed, torch.ScalarType.Float32, 0));
            return (model.Denoiser.SigmaMin, model.Denoiser.SigmaMax);
        }

        if (low is null && high is null)
        {
            return null;
        }

        var levels = new EdmPreconditioning(sigmaMin: low ?? 0.002, sigmaMax: high ?? 80); // for its range check
        return (levels.SigmaMin, levels.SigmaMax);
    }
}
