namespace FewStep.Search;

/// <summary>The losses of each image at each noise level, [images, sigmas], and the mean and covariance that they give.</summary>
internal sealed class ImageLosses(int points)
{
    private readonly List<double[]> _rows = [];

    public int Images => _rows.Count;

    public void Add(double[] losses)
    {
        if (losses.Length != points)
            throw new ArgumentException($"An image has {points} losses, not {losses.Length}.", nameof(losses));
        _rows.Add(losses);
    }

    /// <summary>Mean over the images at each noise level.</summary>
    public double[] Mean() => MeanWithout(group: -1, groups: 1);

    /// <summary>Mean at each noise level over all images but those of one group: images go to the groups in turn.</summary>
    public double[] MeanWithout(int group, int groups)
    {
        var mean = new double[points];
        int count = 0;
        for (int image = 0; image < _rows.Count; image++)
        {
            if (image % groups == group)
                continue;
            count++;
            for (int k = 0; k < points; k++)
                mean[k] += _rows[image][k];
        }

        return Array.ConvertAll(mean, sum => sum / count);
    }

    /// <summary>Covariance of those means: the images' sample covariance over their number.</summary>
    public double[][] CovarianceOfMean(double[] mean)
    {
        double[][] covariance = [.. mean.Select(_ => new double[points])];
        var deviation = new double[points];
        foreach (double[] row in _rows)
        {
            for (int k = 0; k < points; k++)
                deviation[k] = row[k] - mean[k];
            for (int k = 0; k < points; k++)
            {
                double[] target = covariance[k];
                for (int l = 0; l <= k; l++)
                    target[l] += deviation[k] * deviation[l];
            }
        }

        double scale = 1 / ((double)Images * (Images - 1));
        for (int k = 0; k < points; k++)
        {
            for (int l = 0; l <= k; l++)
            {
                covariance[k][l] *= scale;
                covariance[l][k] = covariance[k][l];
            }
        }

        return covariance;
    }
}
