namespace FewStep.Networks;

/// <summary>Evaluates a function of images on overlapping tiles, which are blended linearly where they overlap; an image that is no
/// larger than a tile is taken whole.</summary>
internal sealed record OverlappingTiles
{
    private readonly int _side, _overlap;

    /// <param name="side">Of a tile, in units of the image.</param>
    /// <param name="overlap">What neighbours have in common at least.</param>
    public OverlappingTiles(int side, int overlap)
    {
        if (overlap < 1 || overlap >= side)
            throw new ArgumentException($"Tiles of {side} cannot overlap by {overlap}.", nameof(overlap));
        (_side, _overlap) = (side, overlap);
    }

    /// <summary>Evaluates it.</summary>
    /// <param name="image">[B,C,H,W].</param>
    /// <param name="inUnit">Pixels of the image to a unit.</param>
    /// <param name="outUnit">Pixels of the result to a unit.</param>
    /// <param name="function">Of a tile [B,C,h,w]; its result is [B,C',h outUnit/inUnit, w outUnit/inUnit], float32.</param>
    /// <returns>float32; belongs to the current dispose scope.</returns>
    public Tensor Apply(Tensor image, int inUnit, int outUnit, Func<Tensor, Tensor> function)
    {
        long height = image.shape[2] / inUnit, width = image.shape[3] / inUnit;
        if (height <= _side && width <= _side)
            return function(image);
        Tensor? sum = null;
        var weights = zeros([height * outUnit, width * outUnit], ScalarType.Float32, image.device);
        foreach (var (top, tall) in Parts(height))
        {
            foreach (var (left, wide) in Parts(width))
            {
                using var scope = NewDisposeScope();
                var tile = function(image.narrow(2, top * inUnit, tall * inUnit).narrow(3, left * inUnit, wide * inUnit));
                var weight = outer(Weights(top, tall, height, outUnit, image.device), Weights(left, wide, width, outUnit, image.device));
                sum ??= zeros([tile.shape[0], tile.shape[1], .. weights.shape], ScalarType.Float32, image.device).MoveToOuterDisposeScope();
                Tensor Place(Tensor whole, int axis)
                    => whole.narrow(axis, top * outUnit, tall * outUnit).narrow(axis + 1, left * outUnit, wide * outUnit);
                Place(sum, 2).Plus_(tile * weight);
                Place(weights, 0).Plus_(weight);
            }
        }

        return sum! / weights;
    }

    // Evenly spread, with at least the overlap.
    private IEnumerable<(long Start, long Length)> Parts(long length)
    {
        if (length <= _side)
            return [(0, length)];
        long gaps = (length - _side + _side - _overlap - 1) / (_side - _overlap);
        return Enumerable.Range(0, (int)gaps + 1).Select(i => (i * (length - _side) / gaps, (long)_side));
    }

    // Rising from an edge that has a neighbour, as far as the overlap goes.
    private Tensor Weights(long start, long length, long whole, int unit, Device device)
    {
        double ramp = _overlap * unit;
        long pixels = length * unit;
        var weights = new float[pixels];
        for (long p = 0; p < pixels; p++)
        {
            double before = start == 0 ? 1 : (p + 0.5) / ramp, after = start + length == whole ? 1 : (pixels - p - 0.5) / ramp;
            weights[p] = (float)Math.Min(1, Math.Min(before, after));
        }

        return tensor(weights, device: device);
    }
}
