using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FewStep.Networks;

/// <summary>What a fused group normalisation works on: B images of P pixels of C channels in G groups, channels innermost.</summary>
internal readonly record struct GroupNormShape(int Batch, int Pixels, int Channels, int Groups, float Epsilon, bool Silu)
{
    public const int Lanes = 16;

    public int GroupSize => Channels / Groups;
    public nint ImageLength => (nint)Pixels * Channels;
}

/// <summary>y = f(gamma (x + shift - mean) / deviation + beta) of one image and its derivatives, f the identity or SiLU, in one visit to
/// each feature and its cache line.</summary>
/// <remarks>All arithmetic is float32, whatever the features' format; variances are of centred values.</remarks>
internal static unsafe class GroupNormKernel<TFormat>
    where TFormat : struct, IFeatureFormat
{
    /// <param name="x">The image [P, C].</param>
    /// <param name="gamma">[C].</param>
    /// <param name="beta">[C].</param>
    /// <param name="shift">[C] of this image, or null.</param>
    /// <param name="y">Receives the result [P, C].</param>
    /// <param name="moments">Receives mean and reciprocal deviation of each group [G, 2].</param>
    public static void Forward(in GroupNormShape shape, void* x, float* gamma, float* beta, float* shift, void* y, float* moments)
    {
        int channels = shape.Channels;
        float[] buffer = ArrayPool<float>.Shared.Rent(3 * channels);
        fixed (float* center = buffer)
        {
            float* scale = center + channels, offset = scale + channels;
            Moments(shape, x, shift, moments, center, scale);
            Coefficients(shape, gamma, beta, shift, moments, center, scale, offset);
            for (int c = 0; c < channels; c += GroupNormShape.Lanes)
            {
                var a = Vector512.Load(scale + c);
                var b = Vector512.Load(offset + c);
                nint end = shape.ImageLength + c;
                for (nint i = c; i < end; i += channels)
                {
                    var z = Vector512.FusedMultiplyAdd(TFormat.Load(x, i), a, b);
                    TFormat.Store(y, i, shape.Silu ? z * Sigmoid(z) : z);
                }
            }
        }

        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <param name="x">The image [P, C].</param>
    /// <param name="gamma">[C].</param>
    /// <param name="beta">[C].</param>
    /// <param name="shift">[C] of this image, or null.</param>
    /// <param name="dy">Gradient of the result [P, C].</param>
    /// <param name="dx">Receives the gradient of the image [P, C].</param>
    /// <param name="dgammaBeta">Receives this image's gradients of gamma and beta [2, C].</param>
    /// <param name="dshift">Receives the gradient of the shift [C], unless it is null.</param>
    public static void Backward(in GroupNormShape shape, void* x, float* gamma, float* beta, float* shift, float* moments, void* dy,
        void* dx, float* dgammaBeta, float* dshift)
    {
        int channels = shape.Channels, pixels = shape.Pixels;
        float[] buffer = ArrayPool<float>.Shared.Rent((6 * channels) + (pixels * GroupNormShape.Lanes * (channels / GroupNormShape.Lanes)));
        fixed (float* center = buffer)
        {
            float* scale = center + channels, offset = scale + channels, slope = offset + channels, level = slope + channels, sum = level
                + channels, dz = sum + channels;
            float* dgamma = dgammaBeta, dbeta = dgammaBeta + channels;
            Coefficients(shape, gamma, beta, shift, moments, center, scale, offset);
            float* kept = dz;
            for (int c = 0; c < channels; c += GroupNormShape.Lanes)
            {
                Vector512<float> a = Vector512.Load(scale + c), b = Vector512.Load(offset + c), m = Vector512.Load(center + c);
                Vector512<float> sumDz = default, sumDzX = default, sumX = default;
                nint end = shape.ImageLength + c;
                for (nint i = c; i < end; i += channels, kept += GroupNormShape.Lanes)
                {
                    var centred = TFormat.Load(x, i) - m;
                    var g = TFormat.Load(dy, i);
                    if (shape.Silu)
                    {
                        var z = Vector512.FusedMultiplyAdd(TFormat.Load(x, i), a, b);
                        var s = Sigmoid(z);
                        g *= s * Vector512.FusedMultiplyAdd(z, Vector512<float>.One - s, Vector512<float>.One);
                    }

                    g.Store(kept);
                    sumDz += g;
                    sumDzX = Vector512.FusedMultiplyAdd(g, centred, sumDzX);
                    sumX += centred;
                }

                sumDz.Store(dbeta + c);
                sumDzX.Store(dgamma + c);
                sumX.Store(sum + c);
            }

            ThroughMoments(shape, gamma, moments, center, dgamma, dbeta, slope, level);
            kept = dz;
            for (int c = 0; c < channels; c += GroupNormShape.Lanes)
            {
                Vector512<float> a = Vector512.Load(scale + c), p = Vector512.Load(slope + c), q = Vector512.Load(level + c);
                nint end = shape.ImageLength + c;
                for (nint i = c; i < end; i += channels, kept += GroupNormShape.Lanes)
                {
                    TFormat.Store(
                        dx, i, Vector512.FusedMultiplyAdd(Vector512.Load(kept), a, Vector512.FusedMultiplyAdd(TFormat.Load(x, i), p, q)));
                }
            }

            if (dshift is not null)
            {
                // The sum of dx over the pixels, from the sums of its three terms.
                for (int c = 0; c < channels; c++)
                    dshift[c] = (dbeta[c] * scale[c]) + (slope[c] * sum[c]) + (pixels * (level[c] + (slope[c] * center[c])));
            }
        }

        ArrayPool<float>.Shared.Return(buffer);
    }

    // Mean and reciprocal deviation of each group of x + shift; center and squares are scratch [C].
    private static void Moments(in GroupNormShape shape, void* x, float* shift, float* moments, float* center, float* squares)
    {
        int channels = shape.Channels, size = shape.GroupSize;
        float count = (float)size * shape.Pixels;
        for (int c = 0; c < channels; c += GroupNormShape.Lanes)
        {
            var sum = Vector512<float>.Zero;
            nint end = shape.ImageLength + c;
            for (nint i = c; i < end; i += channels)
                sum += TFormat.Load(x, i);
            sum.Store(squares + c);
        }

        for (int g = 0, c = 0; g < shape.Groups; g++)
        {
            float sum = 0;
            for (int k = 0; k < size; k++, c++)
                sum += squares[c] + (shift is null ? 0 : shape.Pixels * shift[c]);
            moments[2 * g] = sum / count;
        }

        Centers(shape, shift, moments, center);
        for (int c = 0; c < channels; c += GroupNormShape.Lanes)
        {
            var sum = Vector512<float>.Zero;
            var m = Vector512.Load(center + c);
            nint end = shape.ImageLength + c;
            for (nint i = c; i < end; i += channels)
            {
                var centred = TFormat.Load(x, i) - m;
                sum = Vector512.FusedMultiplyAdd(centred, centred, sum);
            }

            sum.Store(squares + c);
        }

        for (int g = 0, c = 0; g < shape.Groups; g++)
        {
            float sum = 0;
            for (int k = 0; k < size; k++, c++)
                sum += squares[c];
            moments[(2 * g) + 1] = 1 / MathF.Sqrt((sum / count) + shape.Epsilon);
        }
    }

    // z = scale x + offset.
    private static void Coefficients(
        in GroupNormShape shape, float* gamma, float* beta, float* shift, float* moments, float* center, float* scale, float* offset)
    {
        Centers(shape, shift, moments, center);
        for (int g = 0, c = 0; g < shape.Groups; g++)
        {
            for (int k = 0; k < shape.GroupSize; k++, c++)
            {
                scale[c] = gamma[c] * moments[(2 * g) + 1];
                offset[c] = beta[c] - (center[c] * scale[c]);
            }
        }
    }

    // x + shift - mean = x - center.
    private static void Centers(in GroupNormShape shape, float* shift, float* moments, float* center)
    {
        for (int g = 0, c = 0; g < shape.Groups; g++)
        {
            for (int k = 0; k < shape.GroupSize; k++, c++)
                center[c] = moments[2 * g] - (shift is null ? 0 : shift[c]);
        }
    }

    // dx = scale dz + slope x + level: what mean and variance pass back. Turns dgamma from a sum of dz (x - center) into one of dz xhat.
    private static void ThroughMoments(
        in GroupNormShape shape, float* gamma, float* moments, float* center, float* dgamma, float* dbeta, float* slope, float* level)
    {
        float count = (float)shape.GroupSize * shape.Pixels;
        for (int g = 0, first = 0; g < shape.Groups; g++, first += shape.GroupSize)
        {
            float r = moments[(2 * g) + 1], sumDx = 0, sumDxX = 0;
            for (int c = first; c < first + shape.GroupSize; c++)
            {
                dgamma[c] *= r;
                sumDx += gamma[c] * dbeta[c];
                sumDxX += gamma[c] * dgamma[c];
            }

            for (int c = first; c < first + shape.GroupSize; c++)
            {
                slope[c] = -r * r * sumDxX / count;
                level[c] = (-r * sumDx / count) - (slope[c] * center[c]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Sigmoid(Vector512<float> z)
    {
        // e^-z = 2^n e^r with n whole and |r| <= ln(2) / 2; adding 1.5 * 2^23 leaves n in the low bits. Beyond the limits the sigmoid is 0
        // or 1 in float32.
        var t = Vector512.MinNative(Vector512.MaxNative(-z, Vector512.Create(-87f)), Vector512.Create(87f));
        var shifted = Vector512.FusedMultiplyAdd(t, Vector512.Create(1.44269504f), Vector512.Create(12582912f));
        var n = shifted - Vector512.Create(12582912f);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693145752f), t);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-1.42860677e-6f), r);
        var e = Vector512.FusedMultiplyAdd(Vector512.Create(1f / 720), r, Vector512.Create(1f / 120));
        e = Vector512.FusedMultiplyAdd(e, r, Vector512.Create(1f / 24));
        e = Vector512.FusedMultiplyAdd(e, r, Vector512.Create(1f / 6));
        e = Vector512.FusedMultiplyAdd(e, r, Vector512.Create(0.5f));
        e = Vector512.FusedMultiplyAdd(e, r, Vector512<float>.One);
        e = Vector512.FusedMultiplyAdd(e, r, Vector512<float>.One);
        e = (e.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();
        return Vector512<float>.One / (Vector512<float>.One + e);
    }
}
