using Microsoft.Extensions.Options;

namespace FewStep.Deploy.Serving;

/// <summary>Says everything that is wrong with <see cref="FewStepOptions"/> at once.</summary>
internal sealed class FewStepOptionsValidation : IValidateOptions<FewStepOptions>
{
    private const int LargestBatch = 4096;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    public ValidateOptionsResult Validate(string? name, FewStepOptions options)
    {
        var problems = new List<string>();
        void Require(bool holds, string problem)
        {
            if (!holds)
                problems.Add(problem);
        }

        Require(!string.IsNullOrWhiteSpace(options.SamplerPath),
            $"SamplerPath is empty: name the ONNX file of a sampler; {SamplerDescription.HowToMake}");
        Require(Enum.IsDefined(options.Provider), $"Provider {options.Provider} does not exist: Cpu, Cuda or DirectML");
        Require(options.Device >= 0, $"Device must be 0 or more, not {options.Device}");
        Require(options.Threads >= 0, $"Threads must be 0 or more, not {options.Threads}");
        Require(options.MaximumBatch is >= 1 and <= LargestBatch,
            $"MaximumBatch must lie between 1 and {LargestBatch}, not {options.MaximumBatch}");
        Require(options.MaximumQueued >= options.MaximumBatch,
            $"MaximumQueued must be at least MaximumBatch ({options.MaximumBatch}), not {options.MaximumQueued}");
        Require(options.BatchWait >= TimeSpan.Zero && options.BatchWait <= LongestWait,
            $"BatchWait must lie between 0 and {LongestWait}, not {options.BatchWait}");
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail($"FewStep: {string.Join("; ", problems)}.");
    }
}
