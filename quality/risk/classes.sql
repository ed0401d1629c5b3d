-- k-anonymity: persons alike in {{attributes}} are a class of `size`; one row a size.
-- Samarati and Sweeney 1998; k is the size of the smallest class.
SELECT size, count(*) AS classes, sum(size) AS persons
FROM (SELECT count(*) AS size FROM risk_person GROUP BY {{attributes}})
GROUP BY size ORDER BY size
