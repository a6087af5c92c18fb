using FewStep.Denoising;

namespace FewStep.Tuning;

/// <summary>Who a student learns from, where that is not the pre-trained model as it is: the model under guidance.</summary>
/// <param name="Denoiser">The teacher; not owned.</param>
/// <param name="Identity">What tells it from another: a tuning is only resumed with the same teacher.</param>
public sealed record TuningTeacher(IDenoiser Denoiser, string Identity);
