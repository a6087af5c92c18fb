using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>EDM's training loss (2206.00364, table 1): log-normal sigma, weight (s^2 + s_data^2) / (s s_data)^2.</summary>
/// <param name="MeanLogSigma">Mean of ln sigma, EDM's P_mean; default -1.2.</param>
/// <param name="StandardDeviationLogSigma">Standard deviation of ln sigma, EDM's P_std; default 1.2.</param>
/// <param name="SigmaData">Standard deviation of the data; default 0.5.</param>
public sealed record EdmLoss(double MeanLogSigma = -1.2, double StandardDeviationLogSigma = 1.2, double SigmaData = 0.5) : TrainingLoss
{
    /// <inheritdoc/>
    public override Tensor DrawSigma(long batch, Generator generator) => randn([batch], generator: generator).Times(StandardDeviationLogSigma).Plus(MeanLogSigma).exp();

    /// <inheritdoc/>
    public override Tensor Weight(Tensor sigma)
    {
        double sd2 = SigmaData * SigmaData;
        return (sigma * sigma).Plus(sd2) / (sigma * sigma).Times(sd2);
    }
}
