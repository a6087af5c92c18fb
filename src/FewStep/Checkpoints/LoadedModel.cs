using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>A model read from somebody's checkpoint.</summary>
/// <param name="Config">What it is.</param>
/// <param name="Denoiser">The denoiser with float32 weights; the caller owns it.</param>
/// <param name="Format">What the file is, in words, e.g. <c>network pickle of NVlabs/edm</c>.</param>
/// <param name="WeightsPath">The file that holds the weights.</param>
/// <param name="Remarks">One sentence for each thing that the checkpoint does not say and that was therefore assumed, or that its user should know.</param>
public sealed record LoadedModel(ModelConfig Config, NetworkDenoiser Denoiser, string Format, string WeightsPath, IReadOnlyList<string> Remarks);
