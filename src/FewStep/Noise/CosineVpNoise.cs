namespace FewStep.Noise;

/// <summary>
/// The variance-preserving cosine noise: alpha(t) = cos(b(t)) / cos(b(0)) with b(t) = (t + s) / (1 + s) pi / 2, alpha^2 (1 + sigma^2) = 1
/// (Nichol and Dhariwal 2021, equation 17, in continuous time).
/// </summary>
internal sealed class CosineVpNoise : NoiseSchedule
{
    private readonly double _s;

    public CosineVpNoise(double offset = 0.008)
    {
        if (!(offset >= 0) || !double.IsFinite(offset))
            throw new ArgumentOutOfRangeException(nameof(offset), offset, "The offset must be finite and 0 or more.");
        _s = offset;
    }

    public override string Name => "vp-cosine";
    public override double MaximumTime => 1;

    protected override double SigmaAt(double t)
    {
        double a = Angle(0), b = Angle(t);
        // sqrt(cos(a)^2 / cos(b)^2 - 1), where the difference loses digits for small t.
        return Math.Sqrt(Math.Sin(b - a) * Math.Sin(b + a)) / Math.Cos(b);
    }

    protected override double TimeAt(double sigma)
    {
        double a = Angle(0);
        double sine = Math.Sin(a);
        double b = Math.Atan2(Math.Sqrt(sigma * sigma + sine * sine), Math.Cos(a));
        return Math.Max(0, b * 2 / Math.PI * (1 + _s) - _s);
    }

    /// <summary>beta of the step from one time to a later one: 1 - cos(b)^2 / cos(a)^2, where the difference loses digits.</summary>
    internal double Beta(double before, double after)
    {
        double a = Angle(before), b = Angle(after), cosine = Math.Cos(a);
        return Math.Sin(b - a) * Math.Sin(b + a) / (cosine * cosine);
    }

    private double Angle(double t) => (t + _s) / (1 + _s) * Math.PI / 2;
}
