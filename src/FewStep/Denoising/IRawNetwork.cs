namespace FewStep.Denoising;

/// <summary>A denoiser whose network can be asked without its preconditioning.</summary>
internal interface IRawNetwork
{
    /// <summary>What the network makes of x.</summary>
    /// <param name="x">Scaled input [B,C,H,W]; not changed and not disposed.</param>
    /// <param name="noiseLabels">What the network is told of the noise, [B] or [1]: c_noise, or a time step.</param>
    /// <param name="labels">int64 [B], -1 for none; or null.</param>
    /// <returns>[B,C',H,W] of the type of <paramref name="x"/>, a learnt variance included; the caller owns it.</returns>
    Tensor Raw(Tensor x, Tensor noiseLabels, Tensor? labels);
}
